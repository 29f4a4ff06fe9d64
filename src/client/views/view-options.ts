/** What a view is made of. */
import type { EventId } from '../../event/event-id.ts';
import type { WhoseEvents } from '../../event/senders.ts';
import type { EventDefinitions, Recorded, RecordedFrom } from '../../typed/event-types.ts';

/** A state, and the place in the log that it is of. */
export interface StateAfter<State> {
  readonly state: State;
  /** Of the last event in it; `0-0` for none. */
  readonly after: EventId | string;
}

/** Where the state of a view may come from, beside its events. */
export interface ViewSources<State> {
  /**
   * Asked when events that belong into the state are gone (`trimmed`, `reset`): the state as your server
   * knows it. Asked again, later and later, when it fails. Left out: the view goes on with what the
   * log still has, and says so ({@link ViewState.lost}).
   */
  readonly snapshot?: (() => Promise<StateAfter<State>>) | undefined;
  /** What the view starts with: the state that a server has rendered a page from. */
  readonly handedOver?: StateAfter<State> | undefined;
}

export interface ViewOptions<State, Payloads extends object>
  extends ViewSources<State>,
    WhoseEvents {
  /**
   * 1 to 64 characters of `A-Z a-z 0-9 . _ -`: with `persist`, the state is kept on the device under it, and
   * all that ask for a view of this name and version of a log share one. The state is then data as
   * `structuredClone` copies it: of a class of yours, a plain object would come back.
   */
  readonly name?: string | undefined;
  /**
   * Of `evolve`: with another one, a kept state is computed afresh. Default: the source text of `evolve` and of
   * the upcasts, which does not have what these call, and `initial`.
   */
  readonly version?: string | number | undefined;
  /** Default: those of the log. */
  readonly events?: EventDefinitions<Payloads> | undefined;
  /** The state of a log without events. */
  readonly initial: State;
  /**
   * The state after an event. It answers a new state and leaves the old one as it was. An event of
   * one's own that is {@link isPending} is handed to it as well, each time that the state before it changes.
   */
  readonly evolve: (state: State, event: RecordedFrom<NoInfer<Payloads>>) => NoInfer<State>;
}

/** The same, once the compiler has seen to it that the parts fit each other. */
export interface AnyViewOptions<State>
  extends Omit<ViewOptions<State, object>, 'events' | 'evolve'> {
  readonly events?: EventDefinitions | undefined;
  readonly evolve: (state: State, event: Recorded) => State;
}
