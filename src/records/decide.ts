/** What becomes of a batch, as a pure function: for the stores that decide in this process. */
import { WrongType } from '../event/store-errors.ts';
import type { Change, Committed } from './records.ts';
import { isAdd } from './rules.ts';

/** A record as it is kept. */
export interface KeptRecord {
  readonly value: string;
  /** When its time to live is over, in milliseconds since 1970; 0 when it stays. */
  readonly expires: number;
}

export interface RecordWrite {
  readonly key: string;
  /** undefined: the record goes. */
  readonly record: KeptRecord | undefined;
}

export interface Decision {
  readonly outcome: Committed;
  readonly writes: readonly RecordWrite[];
}

const WHOLE = /^(0|-?[1-9]\d{0,15})$/;

/** Whether the record is still there for readers. */
export function lives(record: KeptRecord | undefined, now: number): record is KeptRecord {
  return record !== undefined && (record.expires === 0 || record.expires > now);
}

/**
 * @param look what is kept under a key, whether its time is over or not
 * @throws WrongType
 */
export function decide(
  changes: readonly Change[],
  look: (key: string) => KeptRecord | undefined,
  now: number,
): Decision {
  const writes: RecordWrite[] = [];
  const counts: number[] = [];
  for (const change of changes) {
    const { key, timeToLive } = change;
    const kept = look(key);
    const current = lives(kept, now) ? kept : undefined;
    const expires = timeToLive === undefined ? 0 : now + timeToLive;
    if (isAdd(change)) {
      const count = sum(key, current?.value ?? '0', change.add);
      counts.push(count);
      writes.push({ key, record: { value: String(count), expires: current?.expires ?? expires } });
      continue;
    }
    const { expected, value } = change;
    const actual = current?.value ?? null;
    if (expected !== undefined && expected !== actual) {
      return { outcome: { committed: false, reason: 'changed', key, actual }, writes: [] };
    }
    if (value === undefined) continue;
    if (value !== null) writes.push({ key, record: { value, expires } });
    else if (kept !== undefined) writes.push({ key, record: undefined });
  }
  return { outcome: { committed: true, counts }, writes };
}

function sum(key: string, value: string, add: number): number {
  const count = Number(value) + add;
  if (!WHOLE.test(value) || !Number.isSafeInteger(Number(value)) || !Number.isSafeInteger(count)) {
    throw new WrongType(key, `${key} holds no whole number that this can be added to`);
  }
  return count;
}
