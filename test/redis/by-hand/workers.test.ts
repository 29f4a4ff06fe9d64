/**
 * A group in the middle of everything: one log is done, two are being handled, one waits, one rests,
 * one is on hold, and one that was on hold is to be redriven. Then somebody does something by hand.
 */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogName } from '../../../src/event/log-name.ts';
import type { Notice } from '../../../src/metrics/notice.ts';
import { openStore, type Store } from '../../../src/stores/open.ts';
import type { WorkContext } from '../../../src/worker/context.ts';
import { listDeadLetters } from '../../../src/worker/dead-letters.ts';
import { work } from '../../../src/worker/work.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId, randomLog } from '../../support/names.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { copyOf, doByHand, keep } from './deeds.ts';
import { type Row, WORKER_ROWS } from './rows.ts';

let server: RedisServer;
let redis: Redis;
let store: Store;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url());
  store = await openStore(server.url());
});

afterAll(async () => {
  await store.close();
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

const NAMES = ['done', 'first', 'second', 'waiting', 'resting', 'redriven', 'held'] as const;
type Name = (typeof NAMES)[number];

class Scene {
  readonly group = randomId();
  readonly logs = Object.fromEntries(NAMES.map((name) => [name, randomLog(this.group)])) as Record<
    Name,
    LogName
  >;
  readonly appended = new Map<LogName, string[]>();
  readonly handled = new Map<LogName, string[]>();
  readonly notices: Notice[] = [];
  readonly #begun = new Set<LogName>();
  #open = () => {};
  readonly #gate = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  /** Logs whose `Bad` event cannot be handled. */
  readonly #bad = new Set<LogName>([this.logs.redriven, this.logs.held]);

  key(what: string): string {
    return `{work:${this.group}}:${what}`;
  }

  start() {
    return work(store, {
      ...{ group: this.group, category: this.group, leaseTime: 400, lookInterval: 20 },
      ...{ concurrency: 2, onDeadLetter: 'hold' as const, grace: 1_000 },
      retries: { attempts: 2, firstDelay: 300, maxDelay: 300 },
      handler: ({ log, type, id }, context) => this.#handle(log, type, id, context),
      onNotice: (notice) => this.notices.push(notice),
    });
  }

  async append(name: Name, type: string): Promise<void> {
    const log = this.logs[name];
    const { ids } = await store.log.append(log, [{ type, payload: '' }]);
    this.appended.set(log, [...(this.appended.get(log) ?? []), ids[0]!]);
  }

  async #handle(log: LogName, type: string, id: string, { attempt }: WorkContext): Promise<void> {
    if (type === 'Slow') {
      this.#begun.add(log);
      await this.#gate;
    }
    if (type === 'Late' && attempt === 1) throw new Error('not yet');
    if (type === 'Bad' && this.#bad.has(log)) throw new Error('never');
    this.handled.set(log, [...(this.handled.get(log) ?? []), id]);
  }

  /** All is as the head of this file says. @returns the worker, and old dumps of all keys of the group */
  async set() {
    const worker = await this.start();
    await this.append('done', 'Good');
    await this.append('held', 'Bad');
    await this.append('redriven', 'Bad');
    await worker.drain();
    const dumps = await this.#dumps();
    await this.append('done', 'Good');
    await worker.drain();
    await this.append('resting', 'Late');
    await eventually(() =>
      this.notices.some((notice) => notice.what === 'failed' && notice.log === this.logs.resting),
    );
    for (const name of ['first', 'second'] as const) await this.append(name, 'Slow');
    await eventually(() => this.#begun.size === 2);
    await this.append('waiting', 'Good');
    this.#bad.delete(this.logs.redriven);
    await this.redrive();
    return { worker, dumps };
  }

  async redrive(): Promise<void> {
    const letters = await this.#letters();
    const letter = letters.find(({ log }) => log === this.logs.redriven);
    if (letter === undefined) return;
    await store.workQueues.redrive(this.group, { ...letter, event: letter.id });
  }

  /** More for each log; and what was being handled comes to its end. */
  async goOn(): Promise<void> {
    for (const name of NAMES) await this.append(name, 'Good');
    this.#open();
  }

  /** Every event is handled, each log in its order; what was handled may be handled again. */
  async assertAllDone(): Promise<void> {
    for (const name of NAMES) {
      const log = this.logs[name];
      const firstTimes = [...new Set(this.handled.get(log) ?? [])];
      expect([name, firstTimes]).toEqual([name, name === 'held' ? [] : this.appended.get(log)]);
    }
  }

  #letters() {
    return listDeadLetters(store.log, this.group);
  }

  async #dumps(): Promise<Map<string, Buffer | null>> {
    // Two have nothing to keep at that time: what is long over.
    const [delayed, redrives] = [this.key('delayed'), this.key('redrives')];
    await redis.zadd(`old ${delayed}`, 0, this.logs.done);
    const { letter, id } = (await this.#letters())[0]!;
    await redis.hset(`old ${redrives}`, this.logs.done, `${id}/${letter}/0`);
    const dumps = new Map<string, Buffer | null>();
    for (const { key } of WORKER_ROWS) {
      const own = this.key(key.split(':').at(-1)!);
      const from = own === delayed || own === redrives ? `old ${own}` : own;
      dumps.set(own, await redis.dumpBuffer(from));
    }
    return dumps;
  }
}

describe.concurrent('workers, when somebody does by hand', () => {
  test.each(WORKER_ROWS)('$key: $deed', async ({ key, deed, then }: Row) => {
    const scene = new Scene();
    const own = scene.key(key.split(':').at(-1)!);
    const { worker, dumps } = await scene.set();
    await keep(redis, own);
    await doByHand(redis, deed, own, dumps.get(own) ?? null);
    await scene.goOn();
    if (then === 'says') {
      const told = await eventually(() => {
        const errors = scene.notices.flatMap((notice) =>
          notice.what === 'store' ? [String((notice.error as Error).message)] : [],
        );
        return errors.find((message) => message.includes(own)) ?? false;
      });
      expect(told).toMatch(/put (it|back)|remove/);
      // What the message says.
      await redis.del(own);
      if (key.endsWith(':cursors')) await redis.copy(copyOf(own), own, 'REPLACE');
    }
    if (key.endsWith(':redrives')) await scene.redrive();
    await eventually(() => scene.assertAllDone());
    await worker.drain();
    expect(await redis.xlen(scene.key('logs'))).toBe(0);
    await worker.stop();
  });

  test('XGROUP DELCONSUMER while its handler runs, also after a restart', async () => {
    const scene = new Scene();
    const { worker } = await scene.set();
    await doByHand(redis, 'XGROUP DELCONSUMER', scene.key('logs'), null);
    const stopping = worker.stop();
    await scene.goOn();
    await stopping;
    const again = await scene.start();
    await again.drain();
    await scene.assertAllDone();
    await again.stop();
  });

  test('nothing is handed out while the cursors are lost, and nobody waits for it in vain', async () => {
    const scene = new Scene();
    const worker = await scene.start();
    await scene.append('done', 'Good');
    await worker.drain();
    await redis.rename(scene.key('cursors'), copyOf(scene.key('cursors')));
    await scene.append('done', 'Good');
    await expect(worker.drain()).rejects.toMatchObject({ code: 'progress_lost' });
    await expect(scene.start()).rejects.toMatchObject({ code: 'progress_lost' });
    expect(scene.handled.get(scene.logs.done)).toHaveLength(1);
    await redis.rename(copyOf(scene.key('cursors')), scene.key('cursors'));
    await worker.drain();
    expect(scene.handled.get(scene.logs.done)).toEqual(scene.appended.get(scene.logs.done));
    await worker.stop();
  });
});
