/** Work queues in memory, over an event log that is: for tests of applications. */
import type { LogName } from '../../../event/log-name.ts';
import { Closed } from '../../../event/store-errors.ts';
import { FEED_START } from '../../../feed/feed.ts';
import type { FeedIndex } from '../../../feed/feed-index.ts';
import type { EventLog } from '../../../log/log.ts';
import type { KeptLog } from '../../../work-queues/kept-log.ts';
import { LocalConsumer } from '../../../work-queues/local-consumer.ts';
import { type GroupKeeper, LocalGroup } from '../../../work-queues/local-group.ts';
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

import { MemoryFeedIndex } from '../feed/memory-feed-index.ts';

export interface MemoryWorkQueuesOptions {
  /** The time in milliseconds since 1970; leases and delays go by it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** {@link WorkQueues} that live and die with this object. */
export class MemoryWorkQueues implements WorkQueues {
  readonly #feed: FeedIndex;
  readonly #clock: () => number;
  readonly #groups = new Map<string, Promise<LocalGroup>>();
  #closed = false;

  /** @param log the log whose events are handled */
  constructor(log: Pick<EventLog, 'feed' | 'feedEnd'>, options: MemoryWorkQueuesOptions = {}) {
    this.#feed = new MemoryFeedIndex(log);
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
    const start = request.from === 'now' ? await this.#feed.end() : FEED_START;
    return new LocalGroup(request, new MemoryKeeper(), this.#feed, start, this.#clock);
  }
}

class MemoryKeeper implements GroupKeeper {
  readonly #kept = new Map<LogName, KeptLog>();

  read(log: LogName): KeptLog | undefined {
    return this.#kept.get(log);
  }

  async write(changes: readonly (readonly [LogName, KeptLog])[]): Promise<void> {
    for (const [log, kept] of changes) this.#kept.set(log, kept);
  }
}
