/** What can go wrong when stored events are read as typed ones. */
import { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';

/**
 * A stored event is not one that the definitions can read. The log is as it was; the definitions
 * (or who writes to the log) need a change.
 */
export class UnreadableEvent extends MillraceError {
  readonly log: LogName;
  readonly id: EventId;
  /** The type as it is stored. */
  readonly type: string;
  /** What is wrong with it, as the end of a sentence; nothing of its payload. */
  readonly reason: string;

  constructor(
    log: LogName,
    { id, type }: { readonly id: EventId; readonly type: string },
    reason: string,
    options?: ErrorOptions,
  ) {
    super('unreadable_event', `the event ${id} (${type}) in ${log} ${reason}`, options);
    this.log = log;
    this.id = id;
    this.type = type;
    this.reason = reason;
  }
}
