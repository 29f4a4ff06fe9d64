/** What the rest of a client sees of the outbox, in any tab: the entries of all tabs. */
import type { NewEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { Outbox, Sending } from '../client-api.ts';
import type { Entry, EntryCommand, Outcome } from './entry.ts';

/** What is to be appended; the outbox marks the events and gives it a key. */
export interface ToAppend {
  readonly log: LogName;
  /** Encoded already: as a log takes them. */
  readonly events: readonly NewEvent[];
  readonly expected?: EventId | undefined;
  readonly dependsOn?: string | undefined;
  readonly command?: EntryCommand | undefined;
  /** Where the reader of this log is, if there is one. */
  readonly after?: EventId | undefined;
}

/** Told in the order in which it happens, also of what other tabs did. It must not throw. */
export interface OutboxWatcher {
  added(entry: Entry): void;
  /** Its events are others now: a command was decided again. */
  changed(entry: Entry): void;
  finished(entry: Entry, outcome: Outcome): void;
}

/**
 * What a command comes to now, with the events of its log up to `expected`; `refused`: it is not to be appended.
 * No events: nothing is to be appended, and the command is done.
 */
export type Redecision =
  | { readonly events: readonly NewEvent[]; readonly expected: EventId }
  | { readonly refused: Failure };

export interface Appends extends Outbox {
  readonly clientId: string;
  append(what: ToAppend): Sending;
  /** The entries of a log, in their order. */
  of(log: LogName): readonly Entry[];
  /** @returns ends it */
  watch(log: LogName, watcher: OutboxWatcher): () => void;
  /**
   * Says how commands of a decider are decided again. It is asked right before a command is sent, when it is first
   * in its log, and after each conflict (`actual` is the version that the log has then).
   * @returns ends it
   */
  redecide(
    decider: string,
    how: (entry: Entry, actual: EventId | undefined) => Promise<Redecision>,
  ): () => void;
}
