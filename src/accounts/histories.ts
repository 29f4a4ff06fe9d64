/**
 * The histories of owners, which are in their logs. A short log is read. Of a long one a record
 * remembers what it came to at some version, so that only what is new is read:
 *
 *   {account:1:log}:history    { "version": "1526919030474-55", "facts": [{ id, type, payload, meta }, …] }
 *
 * The log decides, the record remembers: one that is broken, missing, or that the log does not go
 * on from counts as absent, and is written anew by whoever has read the log. The outer braces are
 * literal: the hash tag of the log's other keys in Redis.
 */
import { InvalidInput, MillraceError } from '../event/error.ts';
import { type JsonValue, type Meta, type Payload, StoredEvent } from '../event/event.ts';
import { type EventId, isEventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { Closed } from '../event/store-errors.ts';
import type { EventLog } from '../log/log.ts';
import type { Records } from '../records/records.ts';
import { OwnerHistory, readOn } from './owner-history.ts';

const DEFAULT_EVERY = 200;
const MAX_EVERY = 10_000;
/** A record that would be longer is not written: with so many facts, reading them all costs little more. */
const LONGEST_TEXT = 1_048_576;

export interface HistoriesOptions {
  readonly log: EventLog;
  readonly records: Pick<Records, 'get' | 'compareAndSet'>;
  /** The log of an owner. */
  readonly logOf: (owner: string) => LogName;
  /** The types of the events that take or give up values, or that decide whether one may. */
  readonly types: ReadonlySet<string>;
  /** What of such an event's payload the record is to remember. Default: all of it. */
  readonly essence?: ((event: StoredEvent) => Payload) | undefined;
  /** After how many events of a log a record remembers what it came to, 1 to 10,000. Default 200. */
  readonly rememberEvery?: number | undefined;
}

/** What the record says, and its text, to be compared with when it is replaced. */
interface Remembered {
  readonly text: string | null;
  readonly history: OwnerHistory | undefined;
}

export class Histories {
  readonly #options: HistoriesOptions;
  readonly #every: number;
  readonly #essence: (event: StoredEvent) => Payload;
  readonly #underWay = new Map<string, Promise<OwnerHistory>>();

  constructor(options: HistoriesOptions) {
    const { rememberEvery = DEFAULT_EVERY, essence = ({ payload }) => payload } = options;
    if (!Number.isSafeInteger(rememberEvery) || rememberEvery < 1 || rememberEvery > MAX_EVERY) {
      throw new InvalidInput('rememberEvery', 'must be a whole number from 1 to 10,000');
    }
    this.#options = options;
    this.#every = rememberEvery;
    this.#essence = essence;
  }

  /**
   * What the owner's log says, up to its version at some moment after this was called. Of several
   * who ask at once, one reads the log, and the others what is new since.
   */
  async of(owner: string): Promise<OwnerHistory> {
    const underWay = this.#underWay.get(owner);
    if (underWay !== undefined) {
      const earlier = await underWay.catch(() => undefined);
      if (earlier !== undefined) return this.since(owner, earlier);
    }
    const reading = this.#read(owner);
    this.#underWay.set(owner, reading);
    try {
      return await reading;
    } finally {
      if (this.#underWay.get(owner) === reading) this.#underWay.delete(owner);
    }
  }

  /** The same, on from an earlier history. */
  async since(owner: string, earlier: OwnerHistory): Promise<OwnerHistory> {
    const { log, logOf, types } = this.#options;
    return (await readOn(log, logOf(owner), types, earlier)).history;
  }

  async #read(owner: string): Promise<OwnerHistory> {
    const { log, logOf, types } = this.#options;
    const name = logOf(owner);
    const short = await this.#readShort(name);
    if (short !== undefined) return short;
    const remembered = await this.#recall(name);
    const { history, events } = await readOn(log, name, types, remembered.history);
    if (events >= this.#every) await this.#remember(name, history, remembered.text);
    return history;
  }

  /** Most logs: less than what is worth a record. */
  async #readShort(name: LogName): Promise<OwnerHistory | undefined> {
    const { log, types } = this.#options;
    const page = await log.read(name, { limit: this.#every });
    // What was trimmed away the record may know.
    if (page.more || page.standing.state !== 'whole') return undefined;
    return OwnerHistory.of(page.events, types, page.version);
  }

  async #recall(name: LogName): Promise<Remembered> {
    let text: string | null = null;
    try {
      text = await this.#options.records.get(keyOf(name));
      return { text, history: text === null ? undefined : parse(text) };
    } catch (error) {
      // Whatever is wrong with the record, the log can be read.
      if (error instanceof Closed || !(error instanceof MillraceError)) throw error;
      return { text, history: undefined };
    }
  }

  /** @param known the record as it was read: whoever has replaced it since knows as much */
  async #remember(name: LogName, history: OwnerHistory, known: string | null): Promise<void> {
    const text = this.#write(history);
    if (text === undefined || text.length > LONGEST_TEXT) return;
    try {
      await this.#options.records.compareAndSet(keyOf(name), known, text);
    } catch (error) {
      // Then the next one who reads does it.
      if (!(error instanceof MillraceError)) throw error;
    }
  }

  /** Undefined when a payload is none that JSON can hold. */
  #write({ version, facts }: OwnerHistory): string | undefined {
    const kept: object[] = [];
    for (const fact of facts) {
      const payload = this.#essence(fact);
      if (payload instanceof Uint8Array) return undefined;
      kept.push({ id: fact.id, type: fact.type, payload, meta: fact.meta });
    }
    return JSON.stringify({ version, facts: kept });
  }
}

function keyOf(name: LogName): string {
  return `{${name}:log}:history`;
}

/** Whoever wrote it: what is not as it should be counts for nothing. */
function parse(text: string): OwnerHistory | undefined {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(record) || !Array.isArray(record.facts)) return undefined;
  const { version } = record;
  if (typeof version !== 'string' || !isEventId(version)) return undefined;
  const facts = record.facts.map(factFrom);
  if (facts.some((fact) => fact === undefined)) return undefined;
  return new OwnerHistory(facts as StoredEvent[], version as EventId);
}

function factFrom(value: unknown): StoredEvent | undefined {
  if (!isObject(value)) return undefined;
  const { id, type, payload, meta } = value;
  if (typeof id !== 'string' || !isEventId(id) || typeof type !== 'string') return undefined;
  if (payload === undefined || (meta !== undefined && !isObject(meta))) return undefined;
  const rawMeta = meta === undefined ? undefined : JSON.stringify(meta as Meta);
  return typeof payload === 'string'
    ? new StoredEvent(id as EventId, type, 'text', payload, rawMeta)
    : new StoredEvent(id as EventId, type, 'json', JSON.stringify(payload as JsonValue), rawMeta);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
