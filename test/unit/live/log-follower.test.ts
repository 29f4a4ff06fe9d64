import { expect, it } from 'vitest';
import type { LogName } from '../../../src/event/log-name.ts';
import { createLive } from '../../../src/live/create-live.ts';
import type { Sink } from '../../../src/live/sink.ts';
import type { Follower, Page, ReadOptions } from '../../../src/log/log.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../../support/eventually.ts';
import { randomLog } from '../../support/names.ts';

/** A store that is away: it takes followers, and never acknowledges. */
class AwayLog extends MemoryLog {
  readonly following = new Set<Follower>();
  reads = 0;
  #arrive: (() => void)[] = [];

  override follow(_log: LogName, follower: Follower, signal?: AbortSignal): Promise<() => void> {
    this.following.add(follower);
    const unfollow = (): void => {
      this.following.delete(follower);
    };
    return new Promise((resolve, reject) => {
      this.#arrive.push(() => resolve(unfollow));
      signal?.addEventListener('abort', () => {
        unfollow();
        reject(signal.reason);
      });
    });
  }

  override read(log: LogName, options?: ReadOptions): Promise<Page> {
    this.reads += 1;
    return super.read(log, options);
  }

  arrive(): void {
    for (const arrive of this.#arrive.splice(0)) arrive();
  }
}

const SILENT: Sink = {
  ready: () => true,
  batch: () => {},
  live: () => {},
  trimmed: () => {},
  reset: () => {},
  failed: () => {},
};

it('lets the store forget it when its last reader leaves before the store listens', async () => {
  const log = new AwayLog();
  const live = createLive({ log });
  const name = randomLog();
  for (let round = 0; round < 100; round += 1) {
    live.subscribe(name, 'now', SILENT).close();
    expect(log.following.size).toBe(0);
  }
});

it('reads nothing when its last reader leaves as the store begins to listen', async () => {
  const log = new AwayLog();
  const live = createLive({ log });
  const subscription = live.subscribe(randomLog(), 'now', SILENT);
  log.arrive();
  subscription.close();
  await eventually(() => log.following.size === 0);
  expect(log.reads).toBe(0);
});
