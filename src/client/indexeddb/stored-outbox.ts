/** The outbox in the browser's database: see `layout.ts` for what lies where. */
import type { NewEvent } from '../../event/event.ts';
import { type EventId, laterOf, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { OutboxFull } from '../errors.ts';
import type { Entry, NewEntry, Outcome, Refusal } from '../outbox/entry.ts';
import { sizeOf } from '../outbox/entry-size.ts';
import {
  MAX_OUTCOMES,
  MAX_REFUSALS,
  type OutboxContents,
  type OutboxLimits,
  type OutboxStore,
  type ProducerPlace,
} from '../outbox/outbox-store.ts';
import { answer, type Body, type Database, isQuota, removed, type Stores } from './database.ts';
import { CACHE_STORES, ENTRIES, OUTBOX, OUTCOMES, PLACES, REFUSALS } from './layout.ts';

/** What is known of all entries together. */
interface Whole {
  /** The producer of logs that nothing was appended to yet. */
  readonly clientId: string;
  readonly bytes: number;
}

type Kept = Entry & { readonly size: number };

/** Where the next entry of a log goes. */
interface Place extends ProducerPlace {
  readonly log: LogName;
  readonly next: number;
  /** The log is known up to here. */
  readonly seen: EventId;
}

const STORES = [OUTBOX, ENTRIES, PLACES, OUTCOMES, REFUSALS];

/** @throws what the database throws when it cannot be opened */
export async function openStoredOutbox(
  database: Database,
  limits: OutboxLimits,
): Promise<OutboxStore> {
  const { clientId } = await database.read([OUTBOX], wholeOf);
  return new StoredOutbox(database, limits, clientId);
}

class StoredOutbox implements OutboxStore {
  readonly clientId: string;
  readonly #database: Database;
  readonly #limits: OutboxLimits;

  constructor(database: Database, limits: OutboxLimits, clientId: string) {
    this.#database = database;
    this.#limits = limits;
    this.clientId = clientId;
  }

  add(entry: NewEntry): Promise<Entry> {
    const size = sizeOf(entry.events);
    const { maxEntries, maxBytes } = this.#limits;
    return this.#change(async (store) => {
      const [whole, place, count] = await Promise.all([
        wholeOf(store),
        placeOf(store, entry.log),
        answer(store(ENTRIES).count()),
      ]);
      if (count >= maxEntries) throw new OutboxFull(`it holds ${maxEntries} appends`);
      const bytes = whole.bytes + size;
      if (bytes > maxBytes) throw new OutboxFull(`it holds ${maxBytes} bytes of events`);
      const { id, epoch, next } = place;
      const producer = { id, epoch, seq: next };
      const order = await answer(store(ENTRIES).add({ ...entry, producer, size }));
      store(PLACES).put({ ...place, next: next + 1 });
      store(OUTBOX).put({ ...whole, bytes }, 0);
      return shown({ ...entry, order: order as number, producer, size }, place);
    });
  }

  contents(): Promise<OutboxContents> {
    return this.#database.read([ENTRIES, PLACES, REFUSALS], async (store) => {
      const [kept, places, refusals] = await Promise.all([
        answer<Kept[]>(store(ENTRIES).getAll()),
        answer<Place[]>(store(PLACES).getAll()),
        answer<Refusal[]>(store(REFUSALS).getAll()),
      ]);
      const byLog = new Map(places.map((place) => [place.log, place]));
      return { entries: kept.map((entry) => shown(entry, byLog.get(entry.log))), refusals };
    });
  }

  finish(key: string, outcome: Outcome, seen: EventId = ZERO_ID): Promise<Entry | undefined> {
    return this.#change(async (store) => {
      const kept = await keptOf(store, key);
      if (kept === undefined) return undefined;
      const [whole, place, first] = await Promise.all([
        wholeOf(store),
        placeOf(store, kept.log),
        answer(store(ENTRIES).index('log').getKey(kept.log)),
      ]);
      const entry = shown(kept, place);
      store(ENTRIES).delete(kept.order);
      store(OUTBOX).put({ ...whole, bytes: whole.bytes - kept.size }, 0);
      if (first === kept.order) store(PLACES).put({ ...place, seen: laterOf(place.seen, seen) });
      // Nothing else is ever taken out of the outcomes: the numbers have no gaps.
      const number = await answer(store(OUTCOMES).add({ key, outcome }));
      store(OUTCOMES).delete((number as number) - MAX_OUTCOMES);
      if (outcome.kind === 'refused') {
        store(REFUSALS).add({ entry, failure: outcome.failure, at: Date.now() });
        const numbers = await answer(store(REFUSALS).getAllKeys());
        if (numbers.length > MAX_REFUSALS) store(REFUSALS).delete(numbers[0]!);
      }
      return entry;
    });
  }

  outcome(key: string): Promise<Outcome | undefined> {
    return this.#database.read([OUTCOMES], async (store) => {
      const index = store(OUTCOMES).index('key');
      return (await answer<{ outcome: Outcome } | undefined>(index.get(key)))?.outcome;
    });
  }

  renew(
    log: LogName,
    from: ProducerPlace,
    newId?: string,
    known?: ReadonlySet<string>,
  ): Promise<readonly Entry[]> {
    return this.#change(async (store) => {
      const [place, entries] = await Promise.all([
        placeOf(store, log),
        answer<Kept[]>(store(ENTRIES).index('log').getAll(log)),
      ]);
      const isElsewhere = place.id !== from.id || place.epoch !== from.epoch;
      if (isElsewhere || entries.some(({ key }) => known?.has(key) === false)) {
        return entries.map((entry) => shown(entry, place));
      }
      const id = newId ?? place.id;
      const epoch = newId === undefined ? place.epoch + 1 : 0;
      store(PLACES).put({ ...place, id, epoch, next: entries.length });
      return entries.map((entry, seq) => {
        const renewed = { ...entry, producer: { id, epoch, seq } };
        store(ENTRIES).put(renewed);
        return shown(renewed, place);
      });
    });
  }

  decide(
    key: string,
    decided: { readonly events: readonly NewEvent[]; readonly expected: EventId } | undefined,
  ): Promise<Entry | undefined> {
    return this.#change(async (store) => {
      const kept = await keptOf(store, key);
      if (kept === undefined) return undefined;
      const [whole, place] = await Promise.all([wholeOf(store), placeOf(store, kept.log)]);
      const size = decided === undefined ? kept.size : sizeOf(decided.events);
      const changed = { ...kept, ...decided, isDecided: decided !== undefined, size };
      store(ENTRIES).put(changed);
      store(OUTBOX).put({ ...whole, bytes: whole.bytes + size - kept.size }, 0);
      return shown(changed, place);
    });
  }

  dismiss(key: string): Promise<void> {
    return this.#database.change([REFUSALS], 'relaxed', async (store) => {
      const numbers = await answer(store(REFUSALS).index('key').getAllKeys(key));
      for (const number of numbers) store(REFUSALS).delete(number);
    });
  }

  /** Where there is no room left, the cache has to go first. */
  async #change<Result>(body: Body<Result>): Promise<Result> {
    const change = () => this.#database.change(STORES, 'strict', body);
    try {
      return await change().catch(async (error: unknown) => {
        if (!isQuota(error)) throw error;
        await this.#database.change(CACHE_STORES, 'relaxed', async (store) => {
          for (const name of CACHE_STORES) store(name).clear();
        });
        return change();
      });
    } catch (error) {
      if (!isQuota(error)) throw error;
      throw new OutboxFull('the browser has no more room for this page');
    }
  }
}

async function wholeOf(store: Stores): Promise<Whole> {
  const whole = await answer<Whole | undefined>(store(OUTBOX).get(0));
  if (whole === undefined) throw removed();
  return whole;
}

async function keptOf(store: Stores, key: string): Promise<Kept | undefined> {
  return answer(store(ENTRIES).index('key').get(key));
}

async function placeOf(store: Stores, log: LogName): Promise<Place> {
  const [place, { clientId }] = await Promise.all([
    answer<Place | undefined>(store(PLACES).get(log)),
    wholeOf(store),
  ]);
  return place ?? { log, id: clientId, epoch: 0, next: 0, seen: ZERO_ID };
}

/** What is not in its log yet will come after what is known of it. */
function shown({ size, ...entry }: Kept, place: Place | undefined): Entry {
  const seen = place?.seen ?? ZERO_ID;
  return seen === ZERO_ID ? entry : { ...entry, after: laterOf(entry.after ?? ZERO_ID, seen) };
}
