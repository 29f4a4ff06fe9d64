/** What is known of a log: a state, and the version that it belongs to. */
import { type EventId, ZERO_ID } from '../../event/event-id.ts';
import { ownInitial } from '../kept-state.ts';

/** A state and the version that the log had with it. Never changed. */
export interface KnownState<State> {
  readonly state: State;
  readonly version: EventId;
  /** How many events it has been evolved by since its snapshot. */
  readonly sinceSnapshot: number;
}

/** The state of a log without events. */
export function initialState<State>(decider: { readonly initial: State }): KnownState<State> {
  return { state: ownInitial(decider.initial), version: ZERO_ID, sinceSnapshot: 0 };
}
