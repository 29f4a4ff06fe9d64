/**
 * One log, any number of readers in this tab, each with a start of its own: the log is followed
 * once. A reader gets each event after its start exactly once, in order, whatever others do.
 */
import type { StoredEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { ClientStart } from '../upstream.ts';

/** Told as of an upstream's receiver; never from within the call that opens it. It must not throw. */
export interface Consumer {
  events(events: readonly StoredEvent[]): void;
  live(at: EventId | undefined): void;
  trimmed(resumeAfter: EventId): void;
  reset(version: EventId): void;
  /** The last that it hears. */
  failed(failure: Failure): void;
}

export interface Channels {
  /** @returns ends it */
  open(log: LogName, start: ClientStart, consumer: Consumer): () => void;
  /** Up to where a log has been received; undefined when nobody reads it. */
  cursor?(log: LogName): EventId | undefined;
}
