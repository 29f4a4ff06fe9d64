/** What a client can ask for over a socket, whatever the wire format. */
import type { MillraceError } from '../event/error.ts';
import type { NewEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Producer } from '../event/producer.ts';
import type { Start } from '../event/start.ts';

/** What a client puts on an operation to know its answer again. */
export type Ref = string | number | undefined;

const MAX_REF_LENGTH = 128;

/** The rule of {@link isRef}, to be told to whoever broke it. */
export const REF_RULE = `must be a finite number or a string of at most ${MAX_REF_LENGTH} characters`;

export function isRef(ref: unknown): ref is Ref {
  if (typeof ref === 'string') return ref.length <= MAX_REF_LENGTH;
  return ref === undefined || Number.isFinite(ref);
}

export interface AppendOperation {
  readonly op: 'append';
  readonly ref?: Ref;
  readonly log: LogName;
  readonly events: readonly NewEvent[];
  readonly expected?: EventId | undefined;
  readonly producer?: Producer | undefined;
}

export type Operation =
  | AppendOperation
  | {
      readonly op: 'subscribe';
      readonly ref?: Ref;
      readonly log: LogName;
      readonly start: Start;
    }
  | { readonly op: 'unsubscribe'; readonly ref?: Ref; readonly log: LogName }
  | { readonly op: 'pause'; readonly ref?: Ref }
  | { readonly op: 'resume'; readonly ref?: Ref }
  | { readonly op: 'ping'; readonly ref?: Ref }
  /** Another token of the same account, before the one that counts ends. */
  | { readonly op: 'authenticate'; readonly ref?: Ref; readonly token: string };

/** A message that is no operation, and why. */
export interface Refusal {
  readonly op: 'refused';
  readonly ref: Ref;
  readonly error: MillraceError;
}
