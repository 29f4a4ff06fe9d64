/** One way to talk over a socket: `text.ts` for people, `json-format.ts` for programs. */
import type { Appended } from '../event/appended.ts';
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { EventShape } from './event-pieces.ts';
import type { Operation, Ref, Refusal } from './operation.ts';

/**
 * Reads what the client of one account sends, and writes what it gets. Formats have no state.
 * `undefined` instead of a message: this format says nothing then.
 */
export interface WireFormat {
  /** Never throws. */
  parse(message: string, accountId: string): Operation | Refusal;
  /** One or more messages that hold the events, in order. */
  events(log: LogName, events: readonly StoredEvent[]): readonly string[];
  /** One message that holds one event, to be written in pieces. */
  shape(log: LogName, event: StoredEvent): EventShape;
  live(log: LogName, at: EventId): string | undefined;
  trimmed(log: LogName, resumeAfter: EventId): string;
  reset(log: LogName, version: EventId): string;
  appended(ref: Ref, outcome: Appended): string | undefined;
  pong(ref: Ref): string;
  /** `log` for an error that is about a subscription. */
  error(error: MillraceError, ref: Ref, log?: LogName): string;
}
