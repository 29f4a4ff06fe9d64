/**
 * How records are kept in the environment that they share with the event log.
 *
 *   database         key                         value
 *   ──────────────   ─────────────────────────   ───────────────────────────
 *   records          key (UTF-8)                 expires 8 │ value (UTF-8)
 *   record_expiry    expires 8 │ key (UTF-8)     nothing: the order in which times to live end
 *
 *   expires is in milliseconds since 1970, big-endian; 0 for a record that stays, which then is
 *   not in record_expiry.
 */

import { WrongType } from '../../../event/store-errors.ts';
import type { KeptRecord } from '../../../records/decide.ts';
import { getLong, putLong } from '../bytes.ts';
import type { EmbeddedStore } from '../embedded-store.ts';
import type { KeyCodec, OrderedMap } from '../ordered-map.ts';

export type ExpiryKey = readonly [expires: number, key: string];

export interface RecordDatabases {
  readonly records: OrderedMap<string, KeptRecord>;
  readonly expiry: OrderedMap<ExpiryKey, true>;
}

export const EXPIRY_VALUE = new Uint8Array(0);

const LONG_BYTES = 8;

const encoder = new TextEncoder();
// A byte order mark is part of what was written.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function openRecordDatabases(store: EmbeddedStore): RecordDatabases {
  return {
    records: store.database('records', textKeys, readRecord),
    expiry: store.database('record_expiry', expiryKeys, () => true as const),
  };
}

export function writeRecord({ value, expires }: KeptRecord): Uint8Array {
  const text = encoder.encode(value);
  const bytes = new Uint8Array(LONG_BYTES + text.length);
  putLong(expires, bytes, 0);
  bytes.set(text, LONG_BYTES);
  return bytes;
}

function readRecord(bytes: Uint8Array): KeptRecord {
  if (bytes.length < LONG_BYTES) throw new WrongType('an entry in the database "records"');
  return { value: getText(bytes, LONG_BYTES, bytes.length), expires: getLong(bytes, 0) };
}

const textKeys: KeyCodec<string> = { writeKey: putText, readKey: getText };

const expiryKeys: KeyCodec<ExpiryKey> = {
  writeKey([expires, key], target, start) {
    putLong(expires, target, start);
    return putText(key, target, start + LONG_BYTES);
  },
  readKey: (source, start, end) => [
    getLong(source, start),
    getText(source, start + LONG_BYTES, end),
  ],
};

function putText(text: string, target: Uint8Array, start: number): number {
  return start + encoder.encodeInto(text, target.subarray(start)).written;
}

function getText(source: Uint8Array, start: number, end: number): string {
  return decoder.decode(source.subarray(start, end));
}
