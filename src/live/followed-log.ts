/** What a reader knows of the log that is followed for it, and for all others who read it. */
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Window } from './window.ts';

export interface FollowedLog<Reader> {
  readonly log: LogName;
  readonly window: Window;
  /** Everything up to here has been handed to the live readers. */
  readonly tail: EventId;
  /** How often something may have come, or may have been lost. */
  readonly wakes: number;
  /** Resolved when the store is listening and the tail is known, or when following has failed. */
  readonly started: Promise<void>;
  /** Something may have come, or may have been lost: look. */
  wake(): void;
  /** The reader is closed. */
  leave(reader: Reader): void;
}
