import type { LogName } from '../event/log-name.ts';
import type { Producer } from '../event/producer.ts';

/** What a handler is told beside the event. */
export interface WorkContext {
  readonly group: string;
  readonly log: LogName;
  /** 1 for the first time; counts processes that died of it, too. */
  readonly attempt: number;
  /** Somebody asked for this dead letter's event to be handled again. */
  readonly redriven: boolean;
  /**
   * Aborted when the result does not count any more: another process has been given the log,
   * because this one was silent for too long, or the worker has been stopped and its grace is over.
   */
  readonly signal: AbortSignal;
  /**
   * Options for an append that happens once, however often the handler is called for this event,
   * and without reading the log:
   *
   *     await store.log.append(accountLog('ada'), [event], context.once('told'));
   *
   * A repeat appends nothing and is answered with `duplicate: true`. Logs remember it for 7 days.
   * @param name what is appended, among all that the group appends to one log for one event. Each
   *   is to be asked for once in a call of the handler; for several logs, keep what is answered
   * @throws InvalidInput for a name that this call has asked for already
   */
  once(name: string): { readonly producer: Producer };
}
