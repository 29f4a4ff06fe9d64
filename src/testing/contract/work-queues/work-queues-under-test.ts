/** What the contract of work queues asks of a store, beside the contract itself. */
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { EventLog } from '../../../log/log.ts';
import type { LeasedLog, WorkConsumer, WorkQueues } from '../../../work-queues/work-queues.ts';
import { eventually } from '../eventually.ts';
import type { StoreKind, StoreUnderTest, Suite } from '../suite.ts';

/** A log and its work queues. */
export interface OpenQueues {
  readonly log: EventLog;
  readonly queues: WorkQueues;
  close(): Promise<void>;
}

export interface WorkQueuesUnderTest extends StoreUnderTest<WorkQueuesCapabilities> {
  open(): Promise<OpenQueues>;
  /** Lets this much time go by: sets a clock on, or waits. */
  pass(milliseconds: number): Promise<void>;
}

export interface WorkQueuesCapabilities {
  /** The data outlives the object that keeps it. */
  readonly lasting: true;
}

export type WorkQueuesKind = StoreKind<WorkQueuesUnderTest, WorkQueuesCapabilities>;

/** What a test works with: a store that is open, and closed after the test. */
export interface WorkQueuesContext extends OpenQueues {
  readonly group: string;
  /** A category that nothing else uses, and logs of it. */
  readonly category: string;
  newLog(): LogName;
  /** Appends one event to each. */
  grow(...logs: LogName[]): Promise<EventId[]>;
  pass(milliseconds: number): Promise<void>;
  /** Closes the store and opens it anew. */
  reopen(): Promise<OpenQueues>;
}

export type WorkQueuesSuite = Suite<WorkQueuesContext, WorkQueuesCapabilities>;

export async function grow(log: EventLog, name: LogName): Promise<EventId> {
  const { version } = await log.append(name, [{ type: 'Grown', payload: '' }]);
  return version;
}

/** Looks until there is nothing more to be seen. */
export async function lookAll(consumer: WorkConsumer): Promise<void> {
  while (await consumer.look()) {
    // There is more.
  }
}

/** Looks and takes until it gets as many logs. */
export async function takeAll(consumer: WorkConsumer, count: number): Promise<LeasedLog[]> {
  const taken: LeasedLog[] = [];
  await eventually(async () => {
    await lookAll(consumer);
    taken.push(...(await consumer.take(count - taken.length, 0)));
    return taken.length >= count;
  });
  return taken;
}

/** Looks, and takes whatever there is now. */
export async function takeNow(consumer: WorkConsumer): Promise<readonly LeasedLog[]> {
  await lookAll(consumer);
  return consumer.take(100, 0);
}
