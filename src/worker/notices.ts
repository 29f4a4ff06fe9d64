/** What a worker has to say to whoever runs it. None of it holds a payload. */
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { LossReason } from './find-event.ts';

/** Which event. */
interface OfEvent {
  readonly log: LogName;
  readonly id: EventId;
  readonly type: string;
  readonly attempt: number;
  /** What the handler threw. */
  readonly error: unknown;
}

export type WorkNotice =
  /** A handler failed; the event is tried again after so many milliseconds. */
  | (OfEvent & { readonly what: 'failed'; readonly after: number })
  /**
   * An event was passed over, since it cannot be read and the application did not write it; told
   * once for each type.
   */
  | (Omit<OfEvent, 'attempt'> & { readonly what: 'passed_over' })
  /** An event was given up. */
  | (OfEvent & { readonly what: 'dead_letter' })
  /**
   * Events were passed over: they were trimmed before they were handled; or the log has lost what
   * was handled last (`reset`), so that some after it may be lost, too; or there is no log under
   * this name that could be read (`wrong_type`). With `letter`: the event of a dead letter that was
   * to be redriven is gone, and the dead letter is closed.
   */
  | {
      readonly what: 'skipped';
      readonly log: LogName;
      readonly after: EventId;
      readonly reason: LossReason | 'wrong_type';
      readonly letter?: EventId;
    }
  /** The log was given to somebody else, because nobody heard of this worker for too long. */
  | { readonly what: 'lease_lost'; readonly log: LogName }
  /** The store does not do what is asked; it is asked again. */
  | { readonly what: 'store'; readonly error: unknown };
