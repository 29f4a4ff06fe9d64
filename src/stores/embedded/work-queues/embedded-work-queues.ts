/**
 * Work queues in a folder of this machine, in the LMDB environment of the event log. One process
 * has the folder, so leases and the queue are in its memory; what is done is on the disk, in the
 * commits that it shares with the log. What waits is found again by comparing each log's version
 * with its cursor when a group is joined.
 */

import { Closed } from '../../../event/store-errors.ts';
import { LocalConsumer } from '../../../work-queues/local-consumer.ts';
import { LocalGroup } from '../../../work-queues/local-group.ts';
import {
  checkCategory,
  checkGroup,
  isWanted,
  type JoinRequest,
  parseJoinOptions,
} from '../../../work-queues/rules.ts';
import type {
  JoinOptions,
  Letter,
  WorkConsumer,
  WorkQueues,
} from '../../../work-queues/work-queues.ts';
import { type EmbeddedStore, reading } from '../embedded-store.ts';
import { EmbeddedFeedIndex } from '../feed/embedded-feed-index.ts';
import { type Databases, openDatabases } from '../layout.ts';
import { commit, EmbeddedKeeper } from './embedded-keeper.ts';
import { encode, type KeptGroup, openWorkDatabases, type WorkDatabases } from './layout.ts';

/** How long {@link EmbeddedWorkQueues.close} waits for the disk, in milliseconds. */
const CLOSE_PATIENCE = 5_000;

export interface EmbeddedWorkQueuesOptions {
  /** The time in milliseconds since 1970; leases and delays go by it. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

interface OpenGroup {
  readonly group: Promise<LocalGroup>;
  consumers: number;
}

/** {@link WorkQueues} in a folder. Progress is acknowledged when it is on the disk. */
export class EmbeddedWorkQueues implements WorkQueues {
  readonly #store: EmbeddedStore;
  readonly #event: Databases;
  readonly #work: WorkDatabases;
  readonly #feed: EmbeddedFeedIndex;
  readonly #clock: () => number;
  readonly #leave: (patience: number) => Promise<void>;
  readonly #groups = new Map<string, OpenGroup>();
  #closed = false;

  private constructor(store: EmbeddedStore, { clock = Date.now }: EmbeddedWorkQueuesOptions) {
    this.#store = store;
    this.#leave = store.use();
    this.#clock = clock;
    this.#event = openDatabases(store);
    this.#work = openWorkDatabases(store);
    this.#feed = new EmbeddedFeedIndex(this.#event);
  }

  /**
   * The work queues in a store that is open already, and shared with the event log.
   * @internal
   */
  static on(store: EmbeddedStore, options: EmbeddedWorkQueuesOptions = {}): EmbeddedWorkQueues {
    return new EmbeddedWorkQueues(store, options);
  }

  async join(group: string, options?: JoinOptions): Promise<WorkConsumer> {
    checkGroup(group);
    const request = parseJoinOptions(options);
    this.#mustBeOpen();
    const open = this.#groups.get(group) ?? this.#open(group, request);
    const joined = await open.group;
    checkCategory(group, joined.category, request.category);
    open.consumers += 1;
    if (open.consumers === 1) await this.#mark(group, (unended) => unended + 1);
    const mustBeOpen = () => this.#mustBeOpen();
    return new LocalConsumer(joined, request.leaseTime, mustBeOpen, async () => {
      open.consumers -= 1;
      if (open.consumers === 0 && !this.#closed) await this.#mark(group, () => 0);
    });
  }

  async redrive(group: string, letter: Letter): Promise<void> {
    await (await this.#existing(group)).redrive(letter);
  }

  async discard(group: string, letter: Letter): Promise<void> {
    await (await this.#existing(group)).discard(letter);
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#leave(CLOSE_PATIENCE);
  }

  #existing(group: string): Promise<LocalGroup> {
    checkGroup(group);
    this.#mustBeOpen();
    const category = this.#kept(group)?.category;
    const request = parseJoinOptions({ category: category || undefined });
    return (this.#groups.get(group) ?? this.#open(group, request)).group;
  }

  #open(group: string, request: JoinRequest): OpenGroup {
    const open = { group: this.#restore(group, request), consumers: 0 };
    this.#groups.set(group, open);
    open.group.catch(() => this.#groups.delete(group));
    return open;
  }

  async #restore(group: string, request: JoinRequest): Promise<LocalGroup> {
    const known = this.#kept(group);
    const { category } = known ?? request;
    const keeper = new EmbeddedKeeper(group, this.#store, this.#event, this.#work);
    // Before the logs are looked at: what is appended meanwhile may be told of twice, and is never missed.
    const at = await this.#feed.end();
    const backlog = keeper.backlog(category).filter(([log]) => isWanted(log, category));
    if (known === undefined) {
      if (request.from === 'now') {
        // One moment for all logs: what is appended from here on is news.
        await keeper.write(backlog.map(([log, { version }]) => [log, { cursor: version }]));
      }
      const made = { category, from: request.from, unended: 0 };
      await commit(this.#store, (batch) => batch.put(this.#work.groups, group, encode(made)));
    }
    // Logs that a new group has not heard of begin with their first event, also from 'now'.
    const local = new LocalGroup({ category, from: 'start' }, keeper, this.#feed, at, this.#clock);
    for (const [log, { version }] of backlog) {
      local.restore(log, version, known?.unended ?? 0);
    }
    return local;
  }

  async #mark(group: string, change: (unended: number) => number): Promise<void> {
    const known = this.#kept(group)!;
    const kept = { ...known, unended: change(known.unended) };
    await commit(this.#store, (batch) => batch.put(this.#work.groups, group, encode(kept)));
  }

  #kept(group: string): KeptGroup | undefined {
    return reading(() => this.#work.groups.get(group));
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Closed('the store of work queues');
  }
}
