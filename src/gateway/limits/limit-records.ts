/** The records that gateways count together in; that they cannot be used must not go unnoticed. */
import type { Records } from '../../records/records.ts';
import type { Logger } from '../logger.ts';

export type LimitRecords = Pick<Records, 'get' | 'compareAndSet' | 'batch'>;

/** How often trouble is told, in milliseconds. */
const TELL_EVERY = 60_000;

/** The same records; the log is told when they fail, because limits go on without them. */
export function watchedRecords(records: LimitRecords, logger: Logger): LimitRecords {
  let toldAt = Number.NEGATIVE_INFINITY;
  const told = (error: unknown): never => {
    const now = performance.now();
    if (now - toldAt > TELL_EVERY) {
      toldAt = now;
      logger.warn({ err: error }, 'limits are not shared with other gateways for now');
    }
    throw error;
  };
  return {
    get: (...parameters) => records.get(...parameters).catch(told),
    compareAndSet: (...parameters) => records.compareAndSet(...parameters).catch(told),
    batch: (...parameters) => records.batch(...parameters).catch(told),
  };
}
