/**
 * From stored events to those that a reader of an application gets: the one way for typed logs,
 * deciders, projections, reactions and workers.
 *
 *   stored ──who wrote it?──► decode ──► event
 *               │                │
 *               │ not one of     │ unreadable: written by the application ─► UnreadableEvent
 *               │ the writers    │
 *               └────────────────┴─ by a client, or by Millrace ─► passed over, counted, told once
 *
 * Whoever may append could otherwise stop an application with an event that it does not know. For
 * the same reason a reader passes over what was read, and what its own code cannot take:
 * {@link EventReading.passOver}.
 */
import type { Meta, StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { isMillraces } from '../event/own-events.ts';
import { fromOf, senderOf, type TrustRule, trustRule, type Writers } from '../event/senders.ts';
import type { Notice } from '../metrics/notice.ts';
import { UnreadableEvent } from './errors.ts';
import type { EventDefinitions } from './event-types.ts';
import { untyped } from './recorded.ts';

/** Of so many types it is told that they are passed over: clients can think of any number. */
const MOST_TOLD = 20;

export interface EventReadingOptions {
  /** Left out: events of any type, as they are stored. */
  readonly events: Pick<EventDefinitions, 'decode'> | undefined;
  readonly writers: Writers | undefined;
  /** Who reads, as in `the worker mail`. */
  readonly by: string;
  /** Told once for each type of what could not be read and is passed over. */
  readonly notice: (notice: Notice) => void;
}

/** An event that was read, whether it is looked at as stored or as decoded. */
export interface ReadEvent {
  readonly log: LogName;
  readonly id: EventId;
  readonly type: string;
  readonly meta: Meta | undefined;
}

/** @typeParam Event what the definitions decode to, which is known to the caller's types */
export class EventReading<Event> {
  readonly #events: Pick<EventDefinitions, 'decode'> | undefined;
  readonly #trusts: TrustRule | undefined;
  readonly #by: string;
  readonly #notice: (notice: Notice) => void;
  readonly #told = new Set<string>();
  #passedOver = 0;

  /** @throws InvalidInput */
  constructor({ events, writers, by, notice }: EventReadingOptions) {
    this.#events = events;
    this.#trusts = trustRule(writers);
    this.#by = by;
    this.#notice = notice;
  }

  /** How many events were passed over for who wrote them; one that is read again counts again. */
  get passedOver(): number {
    return this.#passedOver;
  }

  /**
   * The event as a reader gets it; undefined for one that is passed over or ignored.
   * @throws UnreadableEvent when the application itself has written it
   */
  read(log: LogName, stored: StoredEvent): Event | undefined {
    if (this.#trusts !== undefined) {
      const from = senderOf(stored);
      if (from !== undefined && !this.#trusts(from, log)) {
        this.#passedOver += 1;
        return undefined;
      }
    }
    if (this.#events === undefined) return untyped(log, stored) as Event;
    try {
      return this.#events.decode(log, stored) as Event | undefined;
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      if (!this.#passOver(log, stored, senderOf(stored), error)) throw error;
      return undefined;
    }
  }

  /**
   * Passes over an event that was read, and that the reader's own code cannot take.
   * @param reason the end of a sentence, with nothing of the payload
   * @returns false for one that the application itself has written, which is not passed over
   */
  passOver(event: ReadEvent, reason: string, cause: unknown): boolean {
    const { log } = event;
    const error = new UnreadableEvent(log, event, reason, { cause });
    return this.#passOver(log, event, fromOf(event.meta), error);
  }

  #passOver(
    log: LogName,
    event: Pick<ReadEvent, 'type' | 'meta'>,
    from: string | undefined,
    error: UnreadableEvent,
  ): boolean {
    const who = this.#strangerOf(log, event, from);
    if (who === undefined) return false;
    this.#passedOver += 1;
    this.#tell(error, who);
    return true;
  }

  /** Who wrote it, where that is not the application, or somebody that it trusts as itself. */
  #strangerOf(
    log: LogName,
    event: Pick<ReadEvent, 'type' | 'meta'>,
    from: string | undefined,
  ): string | undefined {
    // Who is trusted as the application has got here.
    if (from !== undefined) return this.#trusts === undefined ? `${from} sent it` : undefined;
    return isMillraces(log, event) ? 'Millrace wrote it' : undefined;
  }

  #tell(error: UnreadableEvent, who: string): void {
    const { log, type, reason } = error;
    if (this.#told.has(type) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(type);
    const rest =
      this.#told.size < MOST_TOLD
        ? 'others of this type will be, without a word'
        : 'all that come will be, without a word, as there are many of them';
    const told = `${reason}; ${who}, so it is passed over, and ${rest}`;
    this.#notice({
      ...{ what: 'passed_over', by: this.#by, log, id: error.id, type },
      error: new UnreadableEvent(log, error, told, { cause: error }),
    });
  }
}
