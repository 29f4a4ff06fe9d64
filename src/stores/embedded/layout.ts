/**
 * What the embedded event log keeps, and how it is turned into bytes. All numbers are big-endian,
 * so that LMDB's byte order is their order.
 *
 *   database    key                                    value
 *   ─────────   ────────────────────────────────────   ──────────────────────────────────────────────
 *   logs        name (ASCII)                           number 4 │ version 16 │ trimmed 16 │ { fence 8 │ through 16 } × 0…1
 *   events      log number 4 │ ms 8 │ sequence 8       entry, see entry.ts
 *   producers   log number 4 │ producer id (ASCII)     epoch 8 │ seq 8 │ last use 8 │ { first 16 │ count 4 } × 0…16
 *   trims       name (ASCII)                           log number 4 │ through 16: events still to be deleted
 *   feed        position 8                             log number 4 │ first ID 16 │ last ID 16 │ name (ASCII)
 *   counters    'c'                                    last log number 4 │ last feed position 8
 *
 *   version, trimmed and through are event IDs (ms 8 │ sequence 8); 0-0 is "none".
 *   A log's name is kept once: its events carry the number that it was given at its first append.
 *   The feed holds one entry for each append, in the order of the commits, without holes.
 *   trims survives a crash: deletion goes on when the store is opened again (see trimmer.ts).
 */
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { WrongType } from '../../event/store-errors.ts';
import type { Stretch } from '../../feed/feed.ts';
import type { GuardedTrims } from '../../log/guarded-trim.ts';
import type { ProducerState } from '../../log/producer-state.ts';
import { getAscii, getLong, getNumber, putAscii, putLong, putNumber, TWO_32 } from './bytes.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { type Entry, readEntry } from './log/entry.ts';
import type { KeyCodec, OrderedMap } from './ordered-map.ts';

export interface LogHead {
  readonly number: number;
  readonly version: EventId;
  /** Through which ID the log was trimmed; `0-0` if it never was. */
  readonly trimmed: EventId;
  /** Undefined where there never was a trim under a guard. */
  readonly guarded?: GuardedTrims | undefined;
}

export type EventKey = readonly [log: number, id: EventId];
export type ProducerKey = readonly [log: number, producer: string];

export interface PendingTrim {
  readonly log: number;
  readonly through: EventId;
}

/** Name and number: a reader of the feed must not look up either for each event. */
export interface FeedEntry extends Stretch {
  readonly number: number;
}

export interface Counters {
  readonly lastLog: number;
  readonly lastFeed: number;
}

export interface Databases {
  readonly logs: OrderedMap<LogName, LogHead>;
  readonly events: OrderedMap<EventKey, Entry>;
  readonly producers: OrderedMap<ProducerKey, ProducerState>;
  readonly trims: OrderedMap<LogName, PendingTrim>;
  readonly feed: OrderedMap<number, FeedEntry>;
  readonly counters: OrderedMap<string, Counters>;
}

export const COUNTERS_KEY = 'c';

export const ID_BYTES = 16;
const HEAD_BYTES = 4 + 2 * ID_BYTES;
const GUARDED_HEAD_BYTES = HEAD_BYTES + 8 + ID_BYTES;
const RANGE_BYTES = ID_BYTES + 4;
export const FEED_NAME_START = 4 + 2 * ID_BYTES;
const PRODUCER_BYTES = 24;

export function openDatabases(store: EmbeddedStore): Databases {
  return {
    logs: store.database('logs', asciiKeys<LogName>(), readHead),
    events: store.database('events', eventKeys, (bytes) => readEntry(bytes)),
    producers: store.database('producers', producerKeys, readProducer),
    trims: store.database('trims', asciiKeys<LogName>(), readTrim),
    feed: store.database('feed', positionKeys, readFeedEntry),
    counters: store.database('counters', asciiKeys<string>(), readCounters),
  };
}

export function writeHead({ number, version, trimmed, guarded }: LogHead): Uint8Array {
  const bytes = Buffer.allocUnsafe(guarded === undefined ? HEAD_BYTES : GUARDED_HEAD_BYTES);
  bytes.writeUInt32BE(number, 0);
  putId(version, bytes, 4);
  putId(trimmed, bytes, 4 + ID_BYTES);
  if (guarded !== undefined) {
    putLong(guarded.fence, bytes, HEAD_BYTES);
    putId(guarded.through, bytes, HEAD_BYTES + 8);
  }
  return bytes;
}

function readHead(bytes: Uint8Array): LogHead {
  const head = {
    number: getNumber(bytes, 0),
    version: getId(bytes, 4),
    trimmed: getId(bytes, 4 + ID_BYTES),
  };
  if (bytes.length === HEAD_BYTES) return head;
  if (bytes.length !== GUARDED_HEAD_BYTES) throw new WrongType('an entry in the database "logs"');
  const guarded = {
    fence: getLong(bytes, HEAD_BYTES),
    through: getId(bytes, HEAD_BYTES + 8),
  };
  return { ...head, guarded };
}

export function writeProducer(state: ProducerState): Uint8Array {
  const bytes = Buffer.allocUnsafe(PRODUCER_BYTES + state.recent.length * RANGE_BYTES);
  putLong(state.epoch, bytes, 0);
  putLong(state.seq, bytes, 8);
  putLong(state.lastUse, bytes, 16);
  let offset = PRODUCER_BYTES;
  for (const { first, count } of state.recent) {
    putId(first, bytes, offset);
    bytes.writeUInt32BE(count, offset + ID_BYTES);
    offset += RANGE_BYTES;
  }
  return bytes;
}

function readProducer(bytes: Uint8Array): ProducerState {
  const ranges = (bytes.length - PRODUCER_BYTES) / RANGE_BYTES;
  if (!Number.isInteger(ranges)) throw new WrongType('an entry in the database "producers"');
  const recent = Array.from({ length: ranges }, (_, index) => {
    const offset = PRODUCER_BYTES + index * RANGE_BYTES;
    return { first: getId(bytes, offset), count: getNumber(bytes, offset + ID_BYTES) };
  });
  return {
    epoch: getLong(bytes, 0),
    seq: getLong(bytes, 8),
    lastUse: getLong(bytes, 16),
    recent,
  };
}

export function writeTrim(trim: PendingTrim): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + ID_BYTES);
  bytes.writeUInt32BE(trim.log, 0);
  putId(trim.through, bytes, 4);
  return bytes;
}

function readTrim(bytes: Uint8Array): PendingTrim {
  return { log: getNumber(bytes, 0), through: getId(bytes, 4) };
}

export function writeFeedEntry({ log, number, first, last }: FeedEntry): Uint8Array {
  const bytes = Buffer.allocUnsafe(FEED_NAME_START + log.length);
  bytes.writeUInt32BE(number, 0);
  putId(first, bytes, 4);
  putId(last, bytes, 4 + ID_BYTES);
  putAscii(log, bytes, FEED_NAME_START);
  return bytes;
}

function readFeedEntry(bytes: Uint8Array): FeedEntry {
  const first = getId(bytes, 4);
  // Most appends have one event.
  const last = isSameId(bytes, 4, 4 + ID_BYTES) ? first : getId(bytes, 4 + ID_BYTES);
  const log = getAscii(bytes, FEED_NAME_START, bytes.length) as LogName;
  return { log, number: getNumber(bytes, 0), first, last };
}

function isSameId(bytes: Uint8Array, one: number, other: number): boolean {
  for (let index = ID_BYTES - 1; index >= 0; index--) {
    if (bytes[one + index] !== bytes[other + index]) return false;
  }
  return true;
}

export function writeCounters(counters: Counters): Uint8Array {
  const bytes = Buffer.allocUnsafe(12);
  bytes.writeUInt32BE(counters.lastLog, 0);
  putLong(counters.lastFeed, bytes, 4);
  return bytes;
}

function readCounters(bytes: Uint8Array): Counters {
  return { lastLog: getNumber(bytes, 0), lastFeed: getLong(bytes, 4) };
}

export const eventKeys: KeyCodec<EventKey> = {
  writeKey([log, id], target, start) {
    putNumber(log, target, start);
    putId(id, target, start + 4);
    return start + 4 + ID_BYTES;
  },
  readKey: (source, start) => [getNumber(source, start), getId(source, start + 4)],
};

const producerKeys: KeyCodec<ProducerKey> = {
  writeKey([log, producer], target, start) {
    putNumber(log, target, start);
    return putAscii(producer, target, start + 4);
  },
  readKey: (source, start, end) => [getNumber(source, start), getAscii(source, start + 4, end)],
};

export const positionKeys: KeyCodec<number> = {
  writeKey(position, target, start) {
    putLong(position, target, start);
    return start + 8;
  },
  readKey: (source, start) => getLong(source, start),
};

function asciiKeys<Text extends string>(): KeyCodec<Text> {
  return {
    writeKey: putAscii,
    readKey: (source, start, end) => getAscii(source, start, end) as Text,
  };
}

export function putId(id: EventId, target: Uint8Array, start: number): void {
  const dash = id.indexOf('-');
  putHalf(id.slice(0, dash), target, start);
  putHalf(id.slice(dash + 1), target, start + 8);
}

/** What the ID that was read last starts with: neighbours mostly share it, and numbers become text slowly. */
let lastMilliseconds: number | bigint = 0;
let lastPrefix = '0-';

export function getId(source: Uint8Array, start: number): EventId {
  const milliseconds = getHalf(source, start);
  if (milliseconds !== lastMilliseconds) {
    lastMilliseconds = milliseconds;
    lastPrefix = `${milliseconds}-`;
  }
  return (lastPrefix + getHalf(source, start + 8)) as EventId;
}

/** Decimals of up to 15 digits fit into a number; the rest of the 64 bits is rare. */
function putHalf(decimal: string, target: Uint8Array, start: number): void {
  if (decimal.length <= 15) {
    putLong(Number(decimal), target, start);
    return;
  }
  const value = BigInt(decimal);
  putNumber(Number(value >> 32n), target, start);
  putNumber(Number(value & 0xffff_ffffn), target, start + 4);
}

function getHalf(source: Uint8Array, start: number): number | bigint {
  const high = getNumber(source, start);
  if (high < 0x20_0000) return high * TWO_32 + getNumber(source, start + 4);
  return (BigInt(high) << 32n) | BigInt(getNumber(source, start + 4));
}
