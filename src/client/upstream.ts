/**
 * Where the events of a client come from, and where its appends go: a gateway, or the tab that has
 * the connection. The two contracts that keep connections, logs, outbox and tabs apart.
 */
import type { Appended } from '../event/appended.ts';
import type { NewEvent, StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Producer } from '../event/producer.ts';
import type { Start } from '../event/start.ts';
import type { EventsPage } from '../protocol/page.ts';
import type { Failure } from '../protocol/problem.ts';
import type { ConnectionState } from './connection/state.ts';
import type { Readable } from './readable.ts';

/** From where a log is followed. */
export type ClientStart = Start;

/**
 * Follows logs, each once, over every interruption: after `follow(log, start)` the {@link Receiver}
 * gets everything after `start`, in order, each event once. Who follows a log again starts it again:
 * what comes after the call is of the new start, and nothing of the old one comes any more.
 */
export interface Upstream {
  follow(log: LogName, start: ClientStart): void;
  unfollow(log: LogName): void;
  readonly state: Readable<ConnectionState>;
  /** The account that the other side takes us for, once that is known. */
  readonly account: Readable<string | undefined>;
  /** Ends it for good. */
  close(): void;
}

/** Who is told. It must not throw. */
export interface Receiver {
  events(log: LogName, events: readonly StoredEvent[]): void;
  /** Everything up to `at` has been received. Undefined: the log's place cannot be come back to. */
  live(log: LogName, at: EventId | undefined): void;
  /** What lies between what was received and `resumeAfter` is missed; events after that follow. */
  trimmed(log: LogName, resumeAfter: EventId): void;
  /** The log has lost events that were received: forget it. Its first kept event follows. */
  reset(log: LogName, version: EventId): void;
  /** The log is not followed any more, for a reason that trying again does not mend. */
  failed(log: LogName, failure: Failure): void;
}

/** One attempt to append. */
export interface AppendAttempt {
  readonly log: LogName;
  readonly events: readonly NewEvent[];
  readonly expected?: EventId | undefined;
  readonly producer: Producer;
}

/** What one attempt has come to. */
export type AttemptAnswer =
  | { readonly kind: 'appended'; readonly appended: Appended }
  /** The gateway has said no, and with which code. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** Nobody knows: the connection is gone. */
  | { readonly kind: 'unanswered' };

/** A gateway: an upstream that appends and reads pages as well. */
export interface GatewayLink extends Upstream {
  /** Whether an attempt can be made now. */
  readonly isReady: Readable<boolean>;
  /** Attempts of one log reach the gateway in the order of the calls. Never rejects. */
  append(attempt: AppendAttempt): Promise<AttemptAnswer>;
  /**
   * A page of a log, of at most `limit` events (default 1,000).
   * @throws a {@link Refused} with the failure (`trimmed`, `reset`, `forbidden`, …) or `unavailable`
   */
  page(log: LogName, start: ClientStart, limit?: number): Promise<EventsPage>;
}
