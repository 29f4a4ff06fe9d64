/**
 * One's own events on their way, of one log. Each is pending until it comes back, wherever in the log
 * that is; acknowledgement and event come in any order, or only one of them does.
 *
 *   added ──► pending ──event──► taken ──acknowledged──► gone
 *                │  └──acknowledged──► pending ──event, or the log is read beyond it──► gone
 *                └──refused──► gone
 */
import { NO_LIMITS } from '../../decider/new-events.ts';
import { encodeEvents, type StoredEvent, storedEvent } from '../../event/event.ts';
import { type EventId, isAfter } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { ANONYMOUS } from '../../event/senders.ts';
import type { Recorded } from '../../typed/event-types.ts';
import type { ClientContext } from '../client-context.ts';
import type { Entry, Outcome } from '../outbox/entry.ts';
import type { Fold } from './fold.ts';
import type { PendingEvent } from './view.ts';

/** The last millisecond there can be: after all that logs give out. */
const PENDING = '18446744073709551615-';
const MOST_EVENTS = 1_000;
/** Of entries that came back and are not acknowledged: a log has at most 16 of those, but for those of long ago. */
const MOST_TAKEN = 1_000;

/**
 * Whether `evolve` gets an event of one's own that is not in the log yet. Its ID is one that no event
 * will ever have, after all others, and stays the same until it comes back; `at` is by the clock of the device.
 */
export function isPending(event: { readonly id: string }): boolean {
  return event.id.startsWith(PENDING);
}

/** Keys, and how many events of each. */
export type Taken = readonly (readonly [string, number])[];

interface OwnEntry {
  readonly entry: Entry;
  /** Undefined for one that does not count. */
  readonly events: readonly (Recorded | undefined)[];
  /** Acknowledged: the log has its events at or before this. */
  readonly until?: EventId | undefined;
}

export class PendingEvents {
  readonly #log: LogName;
  readonly #fold: Pick<Fold<never>, 'read'>;
  readonly #context: Pick<ClientContext, 'account' | 'appends'>;
  readonly #entries = new Map<string, OwnEntry>();
  /** How many events of an entry have come back, by its key; also of one that was not heard of yet. */
  readonly #taken = new Map<string, number>();

  constructor(
    log: LogName,
    fold: Pick<Fold<never>, 'read'>,
    context: Pick<ClientContext, 'account' | 'appends'>,
  ) {
    this.#log = log;
    this.#fold = fold;
    this.#context = context;
  }

  /** Entries whose events came back before they were acknowledged: to be known to whoever goes on from here. */
  get taken(): Taken {
    return [...this.#taken];
  }

  /** What is in the outbox now, after a time in which nobody listened. */
  restart(entries: readonly Entry[]): void {
    this.#entries.clear();
    for (const entry of entries) this.put(entry);
  }

  /** These came back before. */
  know(taken: Taken): void {
    for (const [key, count] of taken) this.#taken.set(key, count);
  }

  /** The log is read from its beginning again. */
  forget(): void {
    this.#taken.clear();
    for (const [key, { until }] of this.#entries) if (until !== undefined) this.#remove(key);
  }

  /** An entry is new, or is another one now. @param until it is acknowledged: the log has it at or before this */
  put(entry: Entry, until?: EventId): void {
    this.#entries.set(entry.key, { entry, events: this.#recorded(entry), until });
  }

  finish(entry: Entry, outcome: Outcome, cursor: EventId): void {
    const { key, events } = entry;
    if (outcome.kind === 'refused' || (this.#taken.get(key) ?? 0) >= events.length) {
      this.#remove(key);
      return;
    }
    const { ids, version } = outcome.appended;
    this.put(entry, ids[ids.length - 1] ?? version);
    this.readUpTo(cursor);
  }

  /** An event has come: if it is one's own, it is not pending any more. */
  came(stored: StoredEvent): void {
    // Of most events of others, this is all that is done.
    if (stored.rawMeta?.includes(this.#context.appends.clientId) !== true) return;
    const mark = stored.meta?.client as { readonly key?: unknown } | null | undefined;
    const key = mark?.key;
    if (typeof key !== 'string') return;
    const count = (this.#taken.get(key) ?? 0) + 1;
    const own = this.#entries.get(key);
    this.#taken.delete(key);
    this.#taken.set(key, count);
    if (own?.until !== undefined && count >= own.events.length) this.#remove(key);
    if (this.#taken.size > MOST_TAKEN) this.#taken.delete(this.#taken.keys().next().value!);
  }

  /** The log has been read up to here: whatever is acknowledged until then is in the state. */
  readUpTo(cursor: EventId): void {
    for (const [key, { until }] of this.#entries) {
      if (until !== undefined && !isAfter(until, cursor)) this.#remove(key);
    }
  }

  /** Those that are pending, in their order; `event` is what `evolve` gets. */
  list(): { readonly pending: PendingEvent; readonly event: Recorded | undefined }[] {
    return [...this.#entries].flatMap(([key, { entry, events }]) =>
      entry.events
        .map(({ type, payload }, index) => ({
          pending: { type, payload, key },
          event: events[index],
        }))
        .slice(this.#taken.get(key)),
    );
  }

  #remove(key: string): void {
    this.#entries.delete(key);
    this.#taken.delete(key);
  }

  /** As reading them from the log will come to, so that what is shown is what will be. */
  #recorded({ events, order, at }: Entry): (Recorded | undefined)[] {
    if (events.length === 0) return [];
    const account = this.#context.account?.get();
    const from = account === undefined ? ANONYMOUS : `account:${account}`;
    const marked = events.map((event) => ({ ...event, meta: { ...event.meta, from } }));
    return encodeEvents(marked, NO_LIMITS).map((encoded, index) => {
      const id = `${PENDING}${order * MOST_EVENTS + index}` as EventId;
      try {
        const event = this.#fold.read(this.#log, storedEvent(id, encoded));
        return event && { ...event, at };
      } catch {
        // One that the definitions cannot read does not count, whoever is trusted to write it.
        return undefined;
      }
    });
  }
}
