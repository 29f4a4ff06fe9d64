/**
 * How read models are kept in the environment that they share with the event log.
 *
 *   database            key                            value
 *   ─────────────────   ────────────────────────────   ─────────────────────────────────────
 *   read_model_tables   name (ASCII)                   number 4 │ token 8 │ cursor (UTF-8)
 *   read_model_rows     number 4 │ key (UTF-8)         JSON text (UTF-8)
 *   read_model_drops    number 4                       nothing: rows still to be deleted
 *
 * A table that is dropped loses its name at once, and its rows a chunk at a time (see dropper.ts);
 * one that is begun under that name again has another number. The last number that was given out
 * is that of an entry whose name no table can have.
 */

import { WrongType } from '../../../event/store-errors.ts';
import { getNumber, putNumber } from '../bytes.ts';
import type { EmbeddedStore } from '../embedded-store.ts';
import type { KeyCodec, OrderedMap } from '../ordered-map.ts';

export interface TableHead {
  readonly number: number;
  readonly token: number;
  readonly cursor: string;
}

export type RowKey = readonly [table: number, key: string];

export interface ReadModelDatabases {
  readonly tables: OrderedMap<string, TableHead>;
  readonly rows: OrderedMap<RowKey, string>;
  readonly drops: OrderedMap<number, true>;
}

/** The name, which no table can have, of the entry with the last number that was given out. */
export const LAST_NUMBER = ' last number';

export const NOTHING = new Uint8Array(0);

const HEAD_BYTES = 12;

export function openReadModelDatabases(store: EmbeddedStore): ReadModelDatabases {
  return {
    tables: store.database('read_model_tables', textKeys, readHead),
    rows: store.database('read_model_rows', rowKeys, readText),
    drops: store.database('read_model_drops', numberKeys, () => true as const),
  };
}

export function writeHead({ number, token, cursor }: TableHead): Uint8Array {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(cursor));
  bytes.writeUInt32BE(number, 0);
  bytes.writeBigUInt64BE(BigInt(token), 4);
  bytes.write(cursor, HEAD_BYTES, 'utf8');
  return bytes;
}

function readHead(bytes: Uint8Array): TableHead {
  if (bytes.length < HEAD_BYTES) {
    throw new WrongType('an entry in the database "read_model_tables"');
  }
  const buffer = asBuffer(bytes);
  return {
    number: buffer.readUInt32BE(0),
    token: Number(buffer.readBigUInt64BE(4)),
    cursor: buffer.toString('utf8', HEAD_BYTES),
  };
}

export function writeText(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

function readText(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('utf8');
}

const textKeys: KeyCodec<string> = { writeKey: putText, readKey: getText };

const rowKeys: KeyCodec<RowKey> = {
  writeKey([table, key], target, start) {
    putNumber(table, target, start);
    return putText(key, target, start + 4);
  },
  readKey: (source, start, end) => [getNumber(source, start), getText(source, start + 4, end)],
};

const numberKeys: KeyCodec<number> = {
  writeKey(number, target, start) {
    putNumber(number, target, start);
    return start + 4;
  },
  readKey: (source, start) => getNumber(source, start),
};

function putText(text: string, target: Uint8Array, start: number): number {
  return start + asBuffer(target).write(text, start, 'utf8');
}

function getText(source: Uint8Array, start: number, end: number): string {
  return Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8');
}

/** Of the value's length: what LMDB lends may lie in longer memory. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
