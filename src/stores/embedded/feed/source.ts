/** The databases "feed" and "events" once more, read into a {@link FeedChunk} without taking anything apart. */
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { getAscii, getNumber, putNumber } from '../bytes.ts';
import type { EmbeddedStore } from '../embedded-store.ts';
import { FEED_NAME_START, ID_BYTES, positionKeys, putId } from '../layout.ts';
import type { MapView } from '../ordered-map.ts';
import type { FeedChunk } from './chunk.ts';

/** Names of so many logs are remembered by number, so that they are not made anew for each entry. */
const NAMES_REMEMBERED = 10_000;

/** Writes the key of an event. */
type PutKey = (target: Uint8Array, start: number) => void;

export class FeedSource {
  /** Whether an entry was asked for. */
  readonly #feed: MapView<number, boolean>;
  readonly #events: MapView<PutKey, true>;
  readonly #names = new Map<number, LogName>();
  /** What is read into, set right before each read. */
  #chunk!: FeedChunk;
  #prefix = '';
  #position = 0;

  constructor(store: EmbeddedStore) {
    this.#feed = store.view(
      'feed',
      {
        writeKey: positionKeys.writeKey,
        readKey: (source, start, end) => {
          this.#position = positionKeys.readKey(source, start, end);
          return this.#position;
        },
      },
      (bytes) => this.#takeEntry(bytes),
    );
    this.#events = store.view(
      'events',
      {
        writeKey: (put, target, start) => {
          put(target, start);
          return start + 4 + ID_BYTES;
        },
        readKey: (source, start) => {
          this.#chunk.beginEvent(source, start + 4);
          return NO_KEY;
        },
      },
      (bytes) => {
        this.#chunk.addEvent(bytes);
        return true;
      },
    );
  }

  /**
   * Adds the entries after `position` of logs with that prefix, until there are as many events as asked for.
   * @returns how many events those tell of, and the position of the last entry that was looked at
   */
  readEntries(
    chunk: FeedChunk,
    range: { readonly after: number; readonly end: number; readonly limit: number },
    prefix: string,
    events: number,
    begun: EventId | undefined,
  ): { found: number; position: number } {
    this.#chunk = chunk;
    this.#prefix = prefix;
    const { after, end, limit } = range;
    let found = 0;
    let position = after;
    for (const { key, value } of this.#feed.getRange({ start: after + 1, end: end + 1, limit })) {
      position = key;
      if (!value) continue;
      if (key === after + 1 && begun !== undefined) chunk.beginWith(begun);
      found += chunk.eventsOf(chunk.length - 1);
      if (found >= events) break;
    }
    return { found, position };
  }

  /** Adds the first event of an entry, if it is there. */
  readFirst(chunk: FeedChunk, index: number): boolean {
    this.#chunk = chunk;
    chunk.beginFirstEvent(index);
    return this.#events.get((target, start) => chunk.putFirstKey(index, target, start)) === true;
  }

  /**
   * Adds all events from the first of one entry, or after `after`, to the last of another of the
   * same log, one with each step.
   */
  readRange(
    chunk: FeedChunk,
    first: number,
    last: number,
    after: EventId | undefined,
  ): Iterable<unknown> {
    this.#chunk = chunk;
    return this.#events.getRange({
      start: (target, start) => {
        if (after === undefined) return chunk.putFirstKey(first, target, start);
        putNumber(chunk.logNumber(first), target, start);
        putId(after, target, start + 4);
      },
      exclusiveStart: after !== undefined,
      end: (target, start) => chunk.putLastKey(last, target, start),
      inclusiveEnd: true,
    });
  }

  #takeEntry(bytes: Uint8Array): boolean {
    const name = this.#nameIn(bytes);
    if (!name.startsWith(this.#prefix)) return false;
    this.#chunk.addEntry(this.#position, name, bytes);
    return true;
  }

  #nameIn(bytes: Uint8Array): LogName {
    const number = getNumber(bytes, 0);
    const known = this.#names.get(number);
    if (known !== undefined) return known;
    const name = getAscii(bytes, FEED_NAME_START, bytes.length) as LogName;
    if (this.#names.size >= NAMES_REMEMBERED) this.#names.clear();
    this.#names.set(number, name);
    return name;
  }
}

/** Keys are taken down as they are read, and not needed again. */
const NO_KEY: PutKey = () => {};
