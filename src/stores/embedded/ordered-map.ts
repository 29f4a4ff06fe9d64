/** What the log and the records see of LMDB: ordered maps, whose keys they turn into bytes themselves. */

/** How to turn keys into bytes that LMDB orders, and back. */
export interface KeyCodec<Key> {
  /** Writes into `target` from `start`; answers where it ended. Must not throw. */
  writeKey(key: Key, target: Uint8Array, start: number): number;
  readKey(source: Uint8Array, start: number, end: number): Key;
}

/**
 * How a value is read. `bytes` is only lent: LMDB uses it again for the next value. Its `length` is
 * that of the value, but its memory may be longer, and `slice()` without an end would take that.
 */
export type ValueReader<Value> = (bytes: Uint8Array) => Value;

/** What we use of an LMDB database. Reads within one turn of the event loop see one moment. */
export interface OrderedMap<Key, Value> {
  get(key: Key): Value | undefined;
  doesExist(key: Key): boolean;
  getRange(range: KeyRange<Key>): Iterable<{ key: Key; value: Value }>;
  getKeys(range: KeyRange<Key>): Iterable<Key>;
  /** Only for the one who writes batches. */
  put(key: Key, value: Uint8Array): unknown;
  /** Only for the one who writes batches. */
  remove(key: Key): unknown;
}

/** What can be done with a map that somebody else writes. */
export type MapView<Key, Value> = Pick<OrderedMap<Key, Value>, 'get' | 'getRange'>;

export interface KeyRange<Key> {
  readonly start: Key;
  /** Not part of the range, unless `inclusiveEnd`. */
  readonly end: Key;
  readonly exclusiveStart?: boolean;
  readonly inclusiveEnd?: boolean;
  readonly reverse?: boolean;
  readonly limit?: number;
}
