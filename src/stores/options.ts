/** What stores take, wherever they are. */
import type { EventLimits } from '../event/event.ts';
import type { MetricsOptions, NoticeOptions } from '../metrics/observer.ts';

/** What every store takes; each store's own `open` takes more. */
export interface OpenLogOptions extends NoticeOptions, MetricsOptions {
  /** What an append may hold, in bytes; what is left out keeps its default. */
  readonly limits?: Partial<EventLimits> | undefined;
  /** How long a producer that does not append is remembered, in milliseconds. Default 7 days. */
  readonly producerIdle?: number | undefined;
}
