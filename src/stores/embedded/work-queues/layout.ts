/**
 * How work queues are kept in the environment that they share with the event log.
 *
 *   database     key                      value (JSON)
 *   ──────────   ──────────────────────   ──────────────────────────────────────────────────────
 *   work_groups  group (ASCII)            category, from, unended: how many processes have not left
 *   work_logs    group ' ' log (ASCII)    what is kept of a log, see KeptLog in work-queues/kept-log.ts
 */
import type { LogName } from '../../../event/log-name.ts';
import { WrongType } from '../../../event/store-errors.ts';
import type { KeptLog } from '../../../work-queues/kept-log.ts';
import { getAscii, putAscii } from '../bytes.ts';
import type { EmbeddedStore } from '../embedded-store.ts';
import type { KeyCodec, OrderedMap } from '../ordered-map.ts';

export interface KeptGroup {
  readonly category: string;
  readonly from: 'start' | 'now';
  /** How many processes in a row have joined and not left, the one that has joined now included. */
  readonly unended: number;
}

export type WorkLogKey = readonly [group: string, log: LogName];

export interface WorkDatabases {
  readonly groups: OrderedMap<string, KeptGroup>;
  readonly logs: OrderedMap<WorkLogKey, KeptLog>;
}

const decoder = new TextDecoder();

export function openWorkDatabases(store: EmbeddedStore): WorkDatabases {
  return {
    groups: store.database('work_groups', groupKeys, (bytes) =>
      parse<KeptGroup>(bytes, 'work_groups'),
    ),
    logs: store.database('work_logs', logKeys, (bytes) => parse<KeptLog>(bytes, 'work_logs')),
  };
}

export function encode(value: KeptGroup | KeptLog): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function parse<Value>(bytes: Uint8Array, database: string): Value {
  try {
    return JSON.parse(decoder.decode(bytes.subarray(0, bytes.length))) as Value;
  } catch {
    throw new WrongType(`an entry in the database "${database}"`);
  }
}

const groupKeys: KeyCodec<string> = { writeKey: putAscii, readKey: getAscii };

/** Neither name can have a space. */
const logKeys: KeyCodec<WorkLogKey> = {
  writeKey: ([group, log], target, start) => putAscii(`${group} ${log}`, target, start),
  readKey(source, start, end) {
    const [group, log] = getAscii(source, start, end).split(' ');
    return [group!, log as LogName];
  },
};
