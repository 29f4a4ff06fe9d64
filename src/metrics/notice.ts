/**
 * What goes wrong, or is passed over, as whoever runs it is told: one type for workers, projections,
 * reactions, deciders, typed logs, accounts and stores, so that one function can take them all.
 *
 * None of it holds a payload or a secret, but for `error` where that is what a handler of the
 * application threw: what its message says, only the application knows.
 */
import type { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';

/** Which event. */
interface OfEvent {
  readonly log: LogName;
  readonly id: EventId;
  readonly type: string;
}

/** Something that whoever runs it should know; `what` tells which. */
export type Notice = Happening & {
  /** Who tells, as in `the worker mail` or `the projection balances`. */
  readonly by: string;
};

/** A notice, whoever tells it. */
export type Happening =
  | ({
      /** A handler failed; the event is tried again after so many milliseconds. */
      readonly what: 'failed';
      readonly attempt: number;
      readonly after: number;
      /** What the handler threw. */
      readonly error: unknown;
    } & OfEvent)
  | ({
      /**
       * An event was passed over, since it cannot be read or handled, and the application did not
       * write it; told once for each type.
       */
      readonly what: 'passed_over';
      /** An UnreadableEvent. */
      readonly error: MillraceError;
    } & OfEvent)
  | ({
      /** A worker has given an event up. */
      readonly what: 'dead_letter';
      readonly attempt: number;
      /** What the handler threw. */
      readonly error: unknown;
    } & OfEvent)
  | ({
      /** A projection or reaction has left an event out, by `onError: 'skip'`. */
      readonly what: 'left_out';
      /** A ProjectionFailed. */
      readonly error: MillraceError;
    } & OfEvent)
  | {
      /**
       * Events were skipped: they were trimmed before they were handled; or the log has lost what
       * was handled last (`reset`), so that some after it may be lost, too; or there is no log under
       * this name that could be read (`wrong_type`). With `letter`: the event of a dead letter that
       * was to be redriven is gone, and the dead letter is closed.
       */
      readonly what: 'skipped';
      readonly log: LogName;
      readonly after: EventId;
      readonly reason: 'trimmed' | 'reset' | 'deleted' | 'wrong_type';
      readonly letter?: EventId;
    }
  | {
      /** The log was given to somebody else, because nobody heard of this worker for too long. */
      readonly what: 'lease_lost';
      readonly log: LogName;
    }
  | {
      /** A projection or reaction does not go on. */
      readonly what: 'ended';
      readonly error: MillraceError;
    }
  | {
      /** A snapshot could not be written; the command is not harmed. */
      readonly what: 'snapshot';
      readonly log: LogName;
      readonly error: unknown;
    }
  | {
      /** The store does not do what is asked; it is asked again. */
      readonly what: 'store';
      readonly error: unknown;
    }
  | {
      /**
       * What becomes of the connection to the store. `loading`: while it is opened, Redis loads its
       * data, and is waited for. Afterwards, `lost`: it cannot be reached; `refused`: it can, and
       * does not let us do what is needed; `restored`: all is well again.
       */
      readonly what: 'connection';
      readonly state: 'loading' | 'lost' | 'refused' | 'restored';
      /** Why, or how far it is, where that is known. */
      readonly reason?: string | undefined;
    };
