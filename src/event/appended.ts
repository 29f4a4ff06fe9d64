/** What an append has come to. */
import type { EventId } from './event-id.ts';

export interface Appended {
  /**
   * The IDs given out, in the order of the events. Of a duplicate: those that the first append
   * got, or none when 16 or more appends of the producer came after it.
   */
  readonly ids: readonly EventId[];
  /** The version of the log after the append; of a duplicate, the version now. */
  readonly version: EventId;
  /** The log had this producer's append already: nothing was changed. */
  readonly duplicate: boolean;
}
