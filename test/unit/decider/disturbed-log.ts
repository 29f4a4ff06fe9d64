/** An event log that a test can disturb: count its calls, let others in between, lose answers. */
import { OutcomeUnknown } from '../../../src/event/store-errors.ts';
import type { EventLog } from '../../../src/log/log.ts';

export class DisturbedLog implements Pick<EventLog, 'append' | 'read'> {
  readonly appends: Parameters<EventLog['append']>[] = [];
  readonly reads: Parameters<EventLog['read']>[] = [];
  /** Runs before the next appends, one each. */
  readonly beforeAppends: (() => Promise<unknown>)[] = [];
  /** How many answers to appends get lost, and whether the append happens all the same. */
  lostAnswers = 0;
  happensThough = true;
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  append: EventLog['append'] = async (...call) => {
    this.appends.push(call);
    await this.beforeAppends.shift()?.();
    if (this.lostAnswers === 0) return this.#log.append(...call);
    this.lostAnswers -= 1;
    if (this.happensThough) await this.#log.append(...call);
    throw new OutcomeUnknown('the answer was lost');
  };

  read: EventLog['read'] = async (...call) => {
    this.reads.push(call);
    return this.#log.read(...call);
  };
}
