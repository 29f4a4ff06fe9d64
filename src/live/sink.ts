/**
 * What a subscription needs from the one who reads it: a socket, an SSE response, an iterator.
 *
 *   subscribe ──► replay ──► live(at) ──► batch, batch, … ──► close()
 *                   ▲                          │
 *                   └── trimmed / reset ◄──────┘   (told first, then it goes on by itself)
 */

import type { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { Batch } from './batch.ts';
import type { Turns } from './turns.ts';

/** The receiving end of a subscription. None of its functions may throw. */
export interface Sink {
  /**
   * Whether it takes more. Asked before each batch, and before events are read for it. After
   * `false` no events come until `subscription.drained()` is called, and then it goes on from
   * where it was.
   */
  ready(): boolean;
  /**
   * Shared by sinks that fill one and the same buffer: they read in turn, so that what is read
   * for one is not in vain because another has just filled it. Left out: it need not wait for any.
   */
  readonly turns?: Turns | undefined;
  /** The next events. Comes only right after {@link ready} has answered `true`. */
  batch(batch: Batch): void;
  /** The reader has everything up to `at`; what comes now comes as it happens. Told once per replay. */
  live(at: EventId): void;
  /** Events that the reader had not seen were trimmed; it goes on with the first kept one, after `resumeAfter`. */
  trimmed(resumeAfter: EventId): void;
  /** The store lost events that the reader had seen; it goes on with the first kept event, so the reader starts afresh. */
  reset(version: EventId): void;
  /** The subscription ended by itself, for a reason that trying again cannot mend (a key of the wrong type). */
  failed(error: MillraceError): void;
}

/** One reader's place in one log. It is a cursor, not a buffer. */
export interface Subscription {
  /** The last event handed to the sink, or where it started. */
  readonly cursor: EventId;
  /** Hands over nothing until {@link resume}; nothing is lost meanwhile. */
  pause(): void;
  resume(): void;
  /** The sink, which was not ready, takes more. */
  drained(): void;
  /** Ends it. The sink is not called again. */
  close(): void;
}
