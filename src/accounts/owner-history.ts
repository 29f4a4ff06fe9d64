/**
 * What an owner's log says about reservations: which attempts were carried out, which were
 * abandoned, and what the owner holds now.
 *
 * An event that takes or gives up values says so in `meta.reservation`:
 *
 *   { "attempt": "…", "takes": "email:new@example.org", "gives": "email:old@example.org" }
 *
 * Events that a client sent (the gateway marks them with `meta.from`) decide nothing, whatever
 * they claim to be.
 */
import type { StoredEvent } from '../event/event.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { ABANDONED } from '../event/own-events.ts';
import type { EventLog } from '../log/log.ts';

const PAGE_LIMIT = 1_000;

/** The mark that an event carries. */
export interface ReservationMark {
  readonly attempt: string;
  readonly takes?: string | undefined;
  readonly gives?: string | undefined;
}

/** How an attempt ended. */
export type Verdict = 'done' | 'abandoned' | undefined;

export class OwnerHistory {
  /** The events of the types that were asked for, in order. */
  readonly facts: readonly StoredEvent[];
  /** The version of the log that this history knows. */
  readonly version: EventId;
  readonly #verdicts = new Map<string, Exclude<Verdict, undefined>>();
  readonly #held = new Map<string, string>();

  constructor(facts: readonly StoredEvent[] = [], version: EventId = ZERO_ID) {
    this.facts = facts;
    this.version = version;
    for (const event of facts) this.#take(event);
  }

  /** @param types of the events that {@link facts} are to hold */
  static of(
    events: readonly StoredEvent[],
    types: ReadonlySet<string>,
    version: EventId,
  ): OwnerHistory {
    return new OwnerHistory(
      events.filter((event) => isFact(event, types)),
      version,
    );
  }

  verdict(attempt: string): Verdict {
    return this.#verdicts.get(attempt);
  }

  /** The attempt by which the owner holds the value now. */
  holds(value: string): string | undefined {
    return this.#held.get(value);
  }

  /** All values that the owner holds now. */
  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  #take(event: StoredEvent): void {
    const mark = readMark(event);
    if (mark === undefined) return;
    const { attempt, takes, gives } = mark;
    // The first word counts: what was decided stays so.
    if (this.#verdicts.has(attempt)) return;
    this.#verdicts.set(attempt, event.type === ABANDONED ? 'abandoned' : 'done');
    if (event.type === ABANDONED) return;
    if (gives !== undefined) this.#held.delete(gives);
    if (takes !== undefined) this.#held.set(takes, attempt);
  }
}

/** A history, and what it took to come by it. */
export interface ReadOn {
  readonly history: OwnerHistory;
  /** How many events were read. */
  readonly events: number;
}

/**
 * Reads an owner's log to its end, or on from where an earlier history ends.
 * @param types of the events that {@link OwnerHistory.facts} are to hold
 */
export async function readOn(
  eventLog: EventLog,
  log: LogName,
  types: ReadonlySet<string>,
  earlier: OwnerHistory = new OwnerHistory(),
): Promise<ReadOn> {
  let facts = [...earlier.facts];
  let after = earlier.version;
  let count = 0;
  for (;;) {
    const { events, more, version, standing } = await eventLog.read(log, {
      after,
      limit: PAGE_LIMIT,
    });
    count += events.length;
    // The store has lost what we had read: this page starts anew.
    if (standing.state === 'reset') facts = [];
    for (const event of events) if (isFact(event, types)) facts.push(event);
    if (!more) return { history: new OwnerHistory(facts, version), events: count };
    after = events[events.length - 1]?.id ?? version;
  }
}

function isFact(event: StoredEvent, types: ReadonlySet<string>): boolean {
  return (types.has(event.type) || event.type === ABANDONED) && event.meta?.from === undefined;
}

function readMark(event: StoredEvent): ReservationMark | undefined {
  const mark: unknown = event.meta?.reservation;
  if (typeof mark !== 'object' || mark === null) return undefined;
  const { attempt, takes, gives } = mark as Record<string, unknown>;
  if (typeof attempt !== 'string') return undefined;
  return { attempt, takes: textOrNone(takes), gives: textOrNone(gives) };
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
