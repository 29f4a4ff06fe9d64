/** The state of a view, and how it comes about; nothing of where the events come from. */
import { kept, ownInitial } from '../../decider/kept-state.ts';
import type { StoredEvent } from '../../event/event.ts';
import { type EventId, laterOf, parseEventId, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { textOf } from '../../event/thrown.ts';
import type { Fold } from './fold.ts';
import type { PendingEvents, Taken } from './pending-events.ts';
import type { PendingEvent, ViewState } from './view.ts';
import type { StateAfter } from './view-options.ts';

/** What a view has come to: enough to go on from there another day. */
export interface FoldedAt<State> {
  readonly state: State;
  readonly cursor: EventId;
  /** Without these, an event that is in the state would be pending as well. */
  readonly taken: Taken;
  readonly lost: ViewState<State>['lost'];
}

/** The confirmed state with what is pending on top. */
export interface Shown<State> {
  readonly state: State;
  readonly pending: readonly PendingEvent[];
}

const NONE: readonly never[] = [];

export class Folding<State> {
  readonly #log: LogName;
  readonly #fold: Fold<State>;
  readonly #pending: PendingEvents;
  #confirmed: State;
  #cursor = ZERO_ID;
  #lost: ViewState<State>['lost'];
  /** Undefined: it has to be computed anew. */
  #shown: Shown<State> | undefined;
  #isTold = false;

  constructor(log: LogName, fold: Fold<State>, pending: PendingEvents) {
    this.#log = log;
    this.#fold = fold;
    this.#pending = pending;
    this.#confirmed = ownInitial(fold.initial);
  }

  get confirmed(): State {
    return this.#confirmed;
  }

  get cursor(): EventId {
    return this.#cursor;
  }

  get lost(): ViewState<State>['lost'] {
    return this.#lost;
  }

  get now(): FoldedAt<State> {
    const { confirmed: state, cursor, lost } = this;
    return { state, cursor, lost, taken: this.#pending.taken };
  }

  /** Computed when somebody looks, once for all that has come since. */
  get shown(): Shown<State> {
    this.#shown ??= this.#show();
    return this.#shown;
  }

  /** Others are pending now. */
  pendingChanged(): void {
    this.#shown = undefined;
  }

  /** @throws what `evolve` throws, or reading; the state is then that before the event */
  events(events: readonly StoredEvent[]): void {
    this.#shown = undefined;
    for (const stored of events) {
      const event = this.#fold.read(this.#log, stored);
      if (event !== undefined) this.#confirmed = this.#fold.evolve(this.#confirmed, event);
      this.#cursor = stored.id;
      this.#pending.came(stored);
    }
    this.#pending.readUpTo(this.#cursor);
  }

  /** Everything up to `at` has been read. */
  readUpTo(at: EventId): void {
    this.#cursor = laterOf(at, this.#cursor);
    this.#pending.readUpTo(this.#cursor);
    this.#shown = undefined;
  }

  /** What lies before is missed, and the state goes on without it. */
  trimmed(resumeAfter: EventId): void {
    this.#lost = 'trimmed';
    this.readUpTo(resumeAfter);
  }

  /** The log begins anew. */
  reset(): void {
    this.#lost = 'reset';
    this.#confirmed = ownInitial(this.#fold.initial);
    this.#cursor = ZERO_ID;
    this.#pending.forget();
    this.#shown = undefined;
  }

  /** A state from elsewhere. @throws InvalidInput */
  place({ state, after }: StateAfter<State>): void {
    this.go({ state, cursor: parseEventId(after, 'after'), lost: undefined, taken: [] });
  }

  go({ state, cursor, lost, taken }: FoldedAt<State>): void {
    this.#confirmed = kept(state);
    this.#cursor = cursor;
    this.#lost = lost;
    this.#pending.know(taken);
    this.#pending.readUpTo(cursor);
    this.#shown = undefined;
  }

  #show(): Shown<State> {
    const own = this.#pending.list();
    if (own.length === 0) return { state: this.#confirmed, pending: NONE };
    let state = this.#confirmed;
    for (const { event } of own) {
      if (event === undefined) continue;
      try {
        state = this.#fold.evolve(state, event);
      } catch (error) {
        // It is not shown. Whether it counts is seen once it is in the log.
        if (!this.#isTold) console.warn(`millrace: a pending event is not shown: ${textOf(error)}`);
        this.#isTold = true;
      }
    }
    return { state, pending: own.map(({ pending }) => pending) };
  }
}
