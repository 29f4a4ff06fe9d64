/** The rules for what callers hand to a store of records, the same in every store. */
import { InvalidInput } from '../event/error.ts';
import type { Add, Change, Put } from './records.ts';

export const MAX_KEY_BYTES = 1_024;
/** Of all values in one batch. */
export const MAX_BATCH_BYTES = 16_777_216;
export const MAX_BATCH_CHANGES = 1_000;

const LEASE_NAME = /^[A-Za-z0-9_.:-]{1,128}$/;

const encoder = new TextEncoder();

export function isAdd(change: Change): change is Add {
  return 'add' in change;
}

/** @throws InvalidInput */
export function checkKey(key: string, field = 'key'): string {
  if (typeof key !== 'string' || key === '' || !key.isWellFormed()) {
    throw new InvalidInput(field, 'must be well-formed text that is not empty');
  }
  if (key.length > MAX_KEY_BYTES || encoder.encode(key).length > MAX_KEY_BYTES) {
    throw new InvalidInput(field, `must be at most ${MAX_KEY_BYTES} bytes`, 'too_large');
  }
  return key;
}

/** @throws InvalidInput */
export function checkLeaseName(name: string): string {
  if (typeof name === 'string' && LEASE_NAME.test(name)) return name;
  throw new InvalidInput('name', 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : -');
}

/** @throws InvalidInput */
export function checkTimeToLive(timeToLive: number, field = 'timeToLive'): number {
  if (Number.isSafeInteger(timeToLive) && timeToLive >= 1) return timeToLive;
  throw new InvalidInput(field, 'must be a whole number of milliseconds, at least 1');
}

/**
 * @returns about how many bytes the batch writes
 * @throws InvalidInput naming the change and the field that break a rule
 */
export function checkChanges(changes: readonly Change[]): number {
  if (changes.length === 0 || changes.length > MAX_BATCH_CHANGES) {
    throw new InvalidInput('changes', `must be 1 to ${MAX_BATCH_CHANGES}, got ${changes.length}`);
  }
  const keys = new Set<string>();
  let bytes = 0;
  changes.forEach((change, index) => {
    const field = `changes[${index}]`;
    keys.add(checkKey(change.key, `${field}.key`));
    if (change.timeToLive !== undefined) checkTimeToLive(change.timeToLive, `${field}.timeToLive`);
    bytes +=
      change.key.length + (isAdd(change) ? checkAdd(change, field) : checkPut(change, field));
  });
  if (keys.size < changes.length) {
    throw new InvalidInput('changes', 'must name each key only once');
  }
  if (bytes > MAX_BATCH_BYTES) {
    throw new InvalidInput('changes', `must be at most ${MAX_BATCH_BYTES} bytes`, 'too_large');
  }
  return bytes;
}

function checkAdd({ add }: Add, field: string): number {
  if (!Number.isSafeInteger(add)) {
    throw new InvalidInput(`${field}.add`, 'must be a whole number within ±2^53');
  }
  return 8;
}

function checkPut({ expected, value, timeToLive }: Put, field: string): number {
  if (expected === undefined && value === undefined) {
    throw new InvalidInput(field, 'must have expected, value or add');
  }
  if (timeToLive !== undefined && (value === undefined || value === null)) {
    throw new InvalidInput(`${field}.timeToLive`, 'must come with a value');
  }
  return checkValue(expected, `${field}.expected`) + checkValue(value, `${field}.value`);
}

function checkValue(value: string | null | undefined, field: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw new InvalidInput(field, 'must be well-formed text, or null for no record');
  }
  return encoder.encode(value).length;
}
