/**
 * What happened in a run, as its writers and readers saw it from outside: the input of the
 * history checker. A tag is what makes an event recognisable: its payload, unique in the run.
 */
import type { EventId } from '../../src/event/event-id.ts';

/** How an append ended for the one who made it. */
export type Outcome =
  /** It was answered: it happened. */
  | 'acknowledged'
  /** It was sent and never answered: it may have happened, once. */
  | 'unknown'
  /** It was answered with an error that means: it did not happen. */
  | 'refused';

export interface AppendRecord {
  readonly writer: string;
  /** The tags of its events, in their order. */
  readonly tags: readonly string[];
  readonly outcome: Outcome;
  /** The IDs that the answer named; none where it named none. */
  readonly ids: readonly EventId[];
}

/** An event as a log holds it, or as a reader got it. */
export interface SeenEvent {
  readonly id: EventId;
  readonly tag: string;
}

/** What a reader of one log went through, in its order. */
export type ReaderStep =
  /** It connected, with this cursor. */
  | { readonly step: 'connected'; readonly after: EventId }
  | ({ readonly step: 'event' } & SeenEvent)
  | { readonly step: 'trimmed'; readonly resumeAfter: EventId }
  | { readonly step: 'reset'; readonly version: EventId };

export interface ReaderHistory {
  readonly reader: string;
  readonly steps: readonly ReaderStep[];
}

/** Everything that is known about one log at the end of a run. */
export interface LogHistory {
  readonly log: string;
  readonly appends: readonly AppendRecord[];
  /** What the log holds in the end. */
  readonly events: readonly SeenEvent[];
  /** Through which ID the log was trimmed in the end; left out: never. */
  readonly trimmed?: EventId;
  /**
   * Whether the store lost its tail on purpose: then acknowledged appends may be gone, but the
   * readers that saw them must have been told. Default false.
   */
  readonly lossyStore?: boolean;
  readonly readers: readonly ReaderHistory[];
}
