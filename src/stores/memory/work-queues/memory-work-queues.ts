/** Work queues in memory, over an event log that is: for tests of applications. */
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { Closed } from '../../../event/store-errors.ts';
import { FEED_START, type FeedCursor } from '../../../feed/feed.ts';
import type { EventLog } from '../../../log/log.ts';
import { LocalConsumer } from '../../../work-queues/local-consumer.ts';
import {
  type GroupKeeper,
  type KeptLog,
  LocalGroup,
  type Told,
} from '../../../work-queues/local-group.ts';
import {
  checkCategory,
  checkGroup,
  type JoinRequest,
  parseJoinOptions,
} from '../../../work-queues/rules.ts';
import type {
  JoinOptions,
  Letter,
  WorkConsumer,
  WorkQueues,
} from '../../../work-queues/work-queues.ts';

export interface MemoryWorkQueuesOptions {
  /** The time in milliseconds since 1970; leases and delays go by it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** {@link WorkQueues} that live and die with this object. */
export class MemoryWorkQueues implements WorkQueues {
  readonly #log: Pick<EventLog, 'feed' | 'feedEnd'>;
  readonly #clock: () => number;
  readonly #groups = new Map<string, Promise<LocalGroup>>();
  #closed = false;

  /** @param log the log whose events are handled */
  constructor(log: Pick<EventLog, 'feed' | 'feedEnd'>, options: MemoryWorkQueuesOptions = {}) {
    this.#log = log;
    this.#clock = options.clock ?? Date.now;
  }

  async join(group: string, options?: JoinOptions): Promise<WorkConsumer> {
    checkGroup(group);
    const request = parseJoinOptions(options);
    const joined = await this.#group(group, request);
    checkCategory(group, joined.category, request.category);
    const mustBeOpen = () => this.#mustBeOpen();
    return new LocalConsumer(joined, request.leaseTime, mustBeOpen, async () => {});
  }

  async redrive(group: string, letter: Letter): Promise<void> {
    await (await this.#existing(group)).redrive(letter);
  }

  async discard(group: string, letter: Letter): Promise<void> {
    await (await this.#existing(group)).discard(letter);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #existing(group: string): Promise<LocalGroup> {
    return this.#group(checkGroup(group), parseJoinOptions());
  }

  async #group(name: string, request: JoinRequest): Promise<LocalGroup> {
    this.#mustBeOpen();
    const group = this.#groups.get(name) ?? this.#make(request);
    this.#groups.set(name, group);
    return group;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed('the store of work queues');
  }

  async #make(request: JoinRequest): Promise<LocalGroup> {
    const start = request.from === 'now' ? await this.#log.feedEnd() : FEED_START;
    return new LocalGroup(request, new MemoryKeeper(this.#log, start), this.#clock);
  }
}

class MemoryKeeper implements GroupKeeper {
  readonly #log: Pick<EventLog, 'feed' | 'feedEnd'>;
  readonly #kept = new Map<LogName, KeptLog>();
  #cursor: FeedCursor;

  constructor(log: Pick<EventLog, 'feed' | 'feedEnd'>, cursor: FeedCursor) {
    this.#log = log;
    this.#cursor = cursor;
  }

  read(log: LogName): KeptLog | undefined {
    return this.#kept.get(log);
  }

  async write(changes: readonly (readonly [LogName, KeptLog])[]): Promise<void> {
    for (const [log, kept] of changes) this.#kept.set(log, kept);
  }

  async news(): Promise<{ told: Told[]; more: boolean }> {
    const { items, cursor, more } = await this.#log.feed({ after: this.#cursor });
    this.#cursor = cursor;
    const told = items.flatMap(({ log, events }) => {
      const ids = events.map(({ id }): EventId => id);
      return ids.length === 0 ? [] : [{ log, first: ids[0]!, last: ids[ids.length - 1]! }];
    });
    return { told, more };
  }

  async unread(): Promise<number> {
    const { items, position, end } = await this.#log.feed({ after: this.#cursor, limit: 1 });
    return end - position + (items.length > 0 ? 1 : 0);
  }
}
