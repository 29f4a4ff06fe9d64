/** What stores take, wherever they are. */
import type { EventLimits } from '../event/event.ts';
import type { OnConnection } from './redis/place/connection-report.ts';

/** What every store takes; each store's own `open` takes more. */
export interface OpenLogOptions {
  /** What an append may hold, in bytes; what is left out keeps its default. */
  readonly limits?: Partial<EventLimits> | undefined;
  /** How long a producer that does not append is remembered, in milliseconds. Default 7 days. */
  readonly producerIdle?: number | undefined;
  /** Of Redis: told that it loads its data, is lost, refuses us, and that all is well again, for a log line. */
  readonly onConnection?: OnConnection | undefined;
}
