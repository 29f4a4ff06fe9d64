/** An outbox that lives as long as its page, and the readable reference of {@link OutboxStore}. */
import type { NewEvent } from '../../event/event.ts';
import { type EventId, laterOf, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { OutboxFull } from '../errors.ts';
import type { Entry, NewEntry, Outcome, Refusal } from './entry.ts';
import { sizeOf } from './entry-size.ts';
import { randomId } from './mark.ts';
import {
  DEFAULT_OUTBOX_LIMITS,
  MAX_OUTCOMES,
  MAX_REFUSALS,
  type OutboxContents,
  type OutboxLimits,
  type OutboxStore,
  type ProducerPlace,
} from './outbox-store.ts';

/** Where the next entry of a log goes. */
interface Place extends ProducerPlace {
  readonly next: number;
  /** The log is known up to here. */
  readonly seen: EventId;
}

export class MemoryOutbox implements OutboxStore {
  readonly clientId = randomId();
  readonly #limits: OutboxLimits;
  /** In their order: an entry that changes keeps its place. */
  readonly #entries = new Map<string, Entry>();
  readonly #places = new Map<LogName, Place>();
  /** The oldest first. */
  readonly #outcomes = new Map<string, Outcome>();
  #refusals: readonly Refusal[] = [];
  #order = 0;
  #bytes = 0;

  constructor(limits: Partial<OutboxLimits> = {}) {
    this.#limits = { ...DEFAULT_OUTBOX_LIMITS, ...limits };
  }

  async add(entry: NewEntry): Promise<Entry> {
    const { log } = entry;
    const size = sizeOf(entry.events);
    const { maxEntries, maxBytes } = this.#limits;
    if (this.#entries.size >= maxEntries) throw new OutboxFull(`it holds ${maxEntries} appends`);
    if (this.#bytes + size > maxBytes) throw new OutboxFull(`it holds ${maxBytes} bytes of events`);
    this.#bytes += size;
    const place = this.#placeOf(log);
    const { id, epoch, next } = place;
    this.#places.set(log, { ...place, next: next + 1 });
    const producer = { id, epoch, seq: next };
    this.#order += 1;
    return this.#seen(this.#put({ ...entry, order: this.#order, producer }));
  }

  async contents(): Promise<OutboxContents> {
    const entries = Array.from(this.#entries.values(), (entry) => this.#seen(entry));
    return { entries, refusals: this.#refusals };
  }

  async finish(key: string, outcome: Outcome, seen?: EventId): Promise<Entry | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const isFirst = this.#of(entry.log)[0] === entry;
    this.#entries.delete(key);
    this.#bytes -= sizeOf(entry.events);
    this.#outcomes.set(key, outcome);
    if (this.#outcomes.size > MAX_OUTCOMES) {
      this.#outcomes.delete(this.#outcomes.keys().next().value as string);
    }
    if (outcome.kind === 'refused') {
      const refusal = { entry, failure: outcome.failure, at: Date.now() };
      this.#refusals = [...this.#refusals, refusal].slice(-MAX_REFUSALS);
    }
    const place = this.#placeOf(entry.log);
    if (seen !== undefined && isFirst) {
      this.#places.set(entry.log, { ...place, seen: laterOf(place.seen, seen) });
    }
    return entry;
  }

  async outcome(key: string): Promise<Outcome | undefined> {
    return this.#outcomes.get(key);
  }

  async renew(
    log: LogName,
    from: ProducerPlace,
    newId?: string,
    known?: ReadonlySet<string>,
  ): Promise<readonly Entry[]> {
    const place = this.#placeOf(log);
    const isElsewhere = place.id !== from.id || place.epoch !== from.epoch;
    if (isElsewhere || this.#of(log).some(({ key }) => known?.has(key) === false)) {
      return this.#of(log).map((entry) => this.#seen(entry));
    }
    const id = newId ?? place.id;
    const epoch = newId === undefined ? place.epoch + 1 : 0;
    const renewed = this.#of(log).map((entry, seq) =>
      this.#put({ ...entry, producer: { id, epoch, seq } }),
    );
    this.#places.set(log, { ...place, id, epoch, next: renewed.length });
    return renewed.map((entry) => this.#seen(entry));
  }

  async decide(
    key: string,
    decided: { readonly events: readonly NewEvent[]; readonly expected: EventId } | undefined,
  ): Promise<Entry | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const changed = { ...entry, ...decided, isDecided: decided !== undefined };
    this.#bytes += sizeOf(changed.events) - sizeOf(entry.events);
    return this.#seen(this.#put(changed));
  }

  async dismiss(key: string): Promise<void> {
    this.#refusals = this.#refusals.filter(({ entry }) => entry.key !== key);
  }

  #put(entry: Entry): Entry {
    this.#entries.set(entry.key, entry);
    return entry;
  }

  #of(log: LogName): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.log === log);
  }

  #placeOf(log: LogName): Place {
    return this.#places.get(log) ?? { id: this.clientId, epoch: 0, next: 0, seen: ZERO_ID };
  }

  /** What is not in the log yet will come after what it has. */
  #seen(entry: Entry): Entry {
    const { seen } = this.#placeOf(entry.log);
    return seen === ZERO_ID ? entry : { ...entry, after: laterOf(entry.after ?? ZERO_ID, seen) };
  }
}
