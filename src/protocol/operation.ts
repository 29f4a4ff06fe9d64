/** What a client can ask for over a socket, whatever the wire format. */
import type { MillraceError } from '../event/error.ts';
import type { NewEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { StartPoint } from './start.ts';

/** What a client puts on an operation to know its answer again. */
export type Ref = string | number | undefined;

/** An idempotent producer's place, as in the append of an event log. */
export interface ProducerPlace {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
}

/** What an append answers. */
export interface AppendOutcome {
  readonly ids: readonly EventId[];
  readonly version: EventId;
  readonly duplicate: boolean;
}

export interface AppendOperation {
  readonly op: 'append';
  readonly ref: Ref;
  readonly log: LogName;
  readonly events: readonly NewEvent[];
  readonly expected?: EventId | undefined;
  readonly producer?: ProducerPlace | undefined;
}

export type Operation =
  | AppendOperation
  | {
      readonly op: 'subscribe';
      readonly ref: Ref;
      readonly log: LogName;
      readonly start: StartPoint;
    }
  | { readonly op: 'unsubscribe'; readonly ref: Ref; readonly log: LogName }
  | { readonly op: 'pause'; readonly ref: Ref }
  | { readonly op: 'resume'; readonly ref: Ref }
  | { readonly op: 'ping'; readonly ref: Ref };

/** A message that is no operation, and why. */
export interface Refusal {
  readonly op: 'refused';
  readonly ref: Ref;
  readonly error: MillraceError;
}
