/**
 * A view: the fold of a log, with one's own pending events on top.
 *
 *   confirmed = fold(events)      shown = fold(pending, confirmed)
 *
 * An event of one's own leaves `pending` when it comes back, at the place where it stands in the
 * log: the view passes through the states that everybody else sees.
 */
import type { EventId } from '../../event/event-id.ts';
import type { Refused } from '../errors.ts';
import type { Refusal } from '../outbox/entry.ts';
import type { Readable } from '../readable.ts';

export interface ViewState<State> {
  /** The confirmed state with what is pending on top. */
  readonly state: State;
  readonly confirmed: State;
  /** One's own events that the log does not have yet, in their order. */
  readonly pending: readonly PendingEvent[];
  /** Events of this log that were handed back and not dismissed. */
  readonly refusals: readonly Refusal[];
  /** Whether there is a state to show: of the cache, or of the log. */
  readonly isLoaded: boolean;
  /** Whether it is what the log says now. */
  readonly isCurrent: boolean;
  /** The place in the log that `confirmed` is of. */
  readonly cursor: EventId;
  /** Events that belong into the state are gone, and there was no `snapshot` to go on from. */
  readonly lost?: 'trimmed' | 'reset' | undefined;
  readonly failure?: Refused | undefined;
}

export interface PendingEvent {
  readonly type: string;
  readonly payload: unknown;
  /** Of the entry of the outbox. */
  readonly key: string;
}

/** Follows its log while somebody is subscribed. */
export interface View<State> extends Readable<ViewState<State>> {
  /** Resolves when there is a state to show. @throws Refused */
  loaded(): Promise<ViewState<State>>;
}
