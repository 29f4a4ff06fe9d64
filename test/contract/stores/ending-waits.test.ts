/**
 * Every call that waits, of everything that runs, in each of its states, ended in each way: none
 * waits for ever, and each says what it says in its comment.
 */
import { getEventListeners } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { Closed } from '../../../src/event/store-errors.ts';
import { createLive } from '../../../src/live/create-live.ts';
import { subscribe } from '../../../src/live/subscribe.ts';
import type { EventLog } from '../../../src/log/log.ts';
import type { WaitOptions } from '../../../src/log/or-aborted.ts';
import { processManager } from '../../../src/process-manager/process-manager.ts';
import { ProjectionFailed } from '../../../src/projection/errors.ts';
import { project } from '../../../src/projection/project.ts';
import { react } from '../../../src/projection/react.ts';
import { leaseOf } from '../../../src/projection/retiring.ts';
import { openStore, type Store } from '../../../src/stores/open.ts';
import { work } from '../../../src/worker/work.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId, randomLog } from '../../support/names.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { outcomeOf } from '../../support/soon.ts';
import { endServer, WHOLE_STORES } from './whole-stores.ts';

afterAll(endServer);

/** What runs, as far as these tests are concerned. */
interface Running {
  wait(options?: WaitOptions): Promise<void>;
  stop(): Promise<void>;
  lag(): number | Promise<number>;
  /** What `lag()` comes to when it is over. */
  readonly lagAtTheEnd: unknown;
  ended?(): Promise<void>;
  status?(): { readonly state: string };
}

/** How the one event there is is handled: to the end, never, or not at all. */
type Does = 'nothing' | 'until it is told to end' | 'fail';
type Start = (store: Store<EventLog>, name: string, does: Does) => Promise<Running>;

const CLOSED = { error: expect.any(Closed) };
const QUICK = { leaseTime: 2_000, retries: { attempts: 1 }, onNotice: () => {} };

/** Never comes to its end, but is broken off. */
function until(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function act(does: Does, signal: AbortSignal): unknown {
  if (does === 'fail') throw new Error('as asked');
  return does === 'nothing' ? undefined : until(signal);
}

const FEED_RUNS: Readonly<Record<string, Start>> = {
  async projection(store, name, does) {
    // Handlers answer at once, so it waits for its turn instead.
    const elsewhere = { timeToLive: 60_000 };
    if (does === 'until it is told to end') await store.records.lease(leaseOf(name, 1), elsewhere);
    const projection = project(store, {
      ...{ ...QUICK, name, category: name, initial: () => 0 },
      on: {
        Asked: () => (does === 'fail' ? act(does, new AbortController().signal) : 1) as number,
      },
    });
    return {
      ...{ wait: (options) => projection.caughtUp(options), stop: () => projection.stop() },
      ...{ lag: () => projection.lag(), ended: () => projection.ended() },
      ...{ status: () => projection.status(), lagAtTheEnd: { answer: expect.any(Number) } },
    };
  },
  async reaction(store, name, does) {
    const each = async (_event: unknown, signal: AbortSignal) => void (await act(does, signal));
    const reaction = react(store, { ...QUICK, name, category: name, each });
    return {
      ...{ wait: (options) => reaction.caughtUp(options), stop: () => reaction.stop() },
      ...{ lag: () => reaction.lag(), ended: () => reaction.ended() },
      ...{ status: () => reaction.status(), lagAtTheEnd: { answer: expect.any(Number) } },
    };
  },
};

const REST = { attempts: 5, firstDelay: 60_000 };

const WORKERS: Readonly<Record<string, Start>> = {
  async worker(store, name, does) {
    const worker = await work(store, {
      ...{ group: name, category: name, grace: 20, retries: REST },
      handler: (_event, { signal }) => act(does, signal),
    });
    return { ...worker, wait: (options) => worker.drain(options), lagAtTheEnd: CLOSED };
  },
  async 'process manager'(store, name, does) {
    const manager = await processManager(store, {
      ...{ name, category: name, grace: 20, retries: REST },
      on: { Asked: (_event: unknown, _send: unknown, { signal }) => act(does, signal) },
    });
    return { ...manager, wait: (options) => manager.drain(options), lagAtTheEnd: CLOSED };
  },
};

const STARTS = { ...FEED_RUNS, ...WORKERS };

async function world(kind: string) {
  const whole = await WHOLE_STORES[kind]!();
  const name = randomId();
  await whole.store.log.append(randomLog(name), [{ type: 'Asked', payload: null }]);
  return { ...whole, name };
}

type End = (store: Store<EventLog>, running: Running) => Promise<void>;

const ENDS: Readonly<Record<string, End>> = {
  'stop()': (_store, running) => running.stop(),
  'log.close()': ({ log }) => log.close(),
  'store.close()': (store) => store.close(),
};

/** It is over: nothing waits, and whatever is asked says so. */
async function expectOver(running: Running): Promise<void> {
  expect(await outcomeOf(running.wait())).toEqual(CLOSED);
  expect(await outcomeOf(running.stop())).toEqual({ answer: undefined });
  expect(await outcomeOf((async () => running.lag())())).toEqual(running.lagAtTheEnd);
  if (running.ended) expect(await outcomeOf(running.ended())).toEqual({ answer: undefined });
  if (running.status) expect(running.status().state).toBe('stopped');
}

describe.each(Object.keys(WHOLE_STORES))('waiting on %s', (kind) => {
  describe.each(Object.entries(STARTS))('for a %s', (what, start) => {
    const isWorker = what in WORKERS;
    const busy: Does[] = ['until it is told to end', ...(isWorker ? (['fail'] as const) : [])];

    describe.each(busy)('that does not come to its end: %s', (does) => {
      test.each(Object.entries(ENDS))('ends by %s', async (_end, end) => {
        await using w = await world(kind);
        const running = await start(w.store, w.name, does);
        const { signal } = new AbortController();
        const waiting = [running.wait(), running.wait({ signal })].map((each) => outcomeOf(each));
        const ended = running.ended && outcomeOf(running.ended());
        expect(await outcomeOf(running.wait(), 60)).toBe('pending');
        expect(await outcomeOf(end(w.store, running))).toEqual({ answer: undefined });
        expect(await Promise.all(waiting)).toEqual([CLOSED, CLOSED]);
        if (ended) expect(await ended).toEqual({ answer: undefined });
        await expectOver(running);
        expect(getEventListeners(signal, 'abort')).toEqual([]);
      });

      test('ends by an aborted signal, which changes nothing else', async () => {
        await using w = await world(kind);
        const running = await start(w.store, w.name, does);
        const aborting = new AbortController();
        const reason = new Error('enough');
        const waiting = [running.wait(aborting), running.wait()];
        expect(await outcomeOf(waiting[0]!, 60)).toBe('pending');
        aborting.abort(reason);
        expect(await outcomeOf(waiting[0]!)).toEqual({ error: reason });
        expect(await outcomeOf(waiting[1]!, 60)).toBe('pending');
        expect(await outcomeOf(running.wait(aborting))).toEqual({ error: reason });
        expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
        await running.stop();
        expect(await outcomeOf(waiting[1]!)).toEqual(CLOSED);
      });
    });

    test.each(Object.entries(ENDS))('that has just begun ends by %s', async (_end, end) => {
      await using w = await world(kind);
      const running = await start(w.store, w.name, 'until it is told to end');
      const waiting = outcomeOf(running.wait());
      expect(await outcomeOf(end(w.store, running))).toEqual({ answer: undefined });
      expect(await waiting).toEqual(CLOSED);
      await expectOver(running);
    });

    test.each(Object.entries(ENDS))('that has done all ends by %s', async (_end, end) => {
      await using w = await world(kind);
      const running = await start(w.store, w.name, 'nothing');
      const aborting = new AbortController();
      expect(await outcomeOf(running.wait(aborting))).toEqual({ answer: undefined });
      expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
      expect(await running.lag()).toBe(0);
      const ended = running.ended && outcomeOf(running.ended());
      expect(await outcomeOf(end(w.store, running))).toEqual({ answer: undefined });
      if (ended) expect(await ended).toEqual({ answer: undefined });
      await expectOver(running);
    });
  });

  describe.each(Object.entries(FEED_RUNS))('for a %s', (_what, start) => {
    test.each(Object.entries(ENDS))('that has failed says why, also after %s', async (_e, end) => {
      await using w = await world(kind);
      const running = await start(w.store, w.name, 'fail');
      const failed = { error: expect.any(ProjectionFailed) };
      expect(await outcomeOf(running.wait())).toEqual(failed);
      expect(await outcomeOf(running.ended!())).toEqual({ answer: undefined });
      expect(await outcomeOf(end(w.store, running))).toEqual({ answer: undefined });
      // Where the log is closed there is no end of the feed to wait for.
      expect([failed, CLOSED]).toContainEqual(await outcomeOf(running.wait()));
      expect(await outcomeOf(running.stop())).toEqual({ answer: undefined });
      expect(running.status?.().state).toBe('failed');
    });
  });

  test('for a worker that has lost its store alone: nothing is left that runs', async () => {
    await using w = await world(kind);
    const notices: unknown[] = [];
    const worker = await work(w.store, {
      ...{ group: w.name, category: w.name, onNotice: (notice) => notices.push(notice) },
      handler: () => {},
    });
    await worker.drain();
    await w.store.workQueues.close();
    await eventually(async () => {
      expect(await outcomeOf(worker.drain())).toEqual(CLOSED);
    });
    expect(await outcomeOf(worker.lag())).toEqual(CLOSED);
    expect(await outcomeOf(worker.stop())).toEqual({ answer: undefined });
    expect(notices).toEqual([]);
  });
});

describe('waiting while Redis is away', () => {
  const starts = Object.entries(STARTS);

  test.each(Object.entries(ENDS))('ends by %s', async (how, end) => {
    const server = await RedisServer.start();
    const store = await openStore(server.url());
    try {
      const live = createLive({ log: store.log });
      const loop = subscribe(live, randomLog(), 'now');
      await loop.next();
      const waitingLoop = outcomeOf(loop.next());
      const all = await Promise.all(
        starts.map(async ([, start]) => {
          const name = randomId();
          await store.log.append(randomLog(name), [{ type: 'Asked', payload: null }]);
          const running = await start(store, name, 'until it is told to end');
          const waiting = running.wait();
          expect(await outcomeOf(waiting, 60)).toBe('pending');
          return { running, waiting: outcomeOf(waiting, 15_000) };
        }),
      );
      await server[Symbol.asyncDispose]();
      // Begun now, it waits to be heard first.
      const late = subscribe(live, randomLog(), 'now');
      const waitingLate = outcomeOf(late.next(), 15_000);
      for (const { running } of all) {
        expect(await outcomeOf((async () => running.lag())())).not.toBe('pending');
      }
      const over = Promise.all(all.map(({ running }) => end(store, running)));
      expect(await outcomeOf(over, 12_000)).not.toBe('pending');
      for (const { waiting } of all) expect(await waiting).toEqual(CLOSED);
      const isLeft = how === 'stop()';
      if (isLeft) await Promise.all([loop.return(), late.return()]);
      const told = isLeft ? { answer: { done: true, value: undefined } } : CLOSED;
      expect([await waitingLoop, await waitingLate]).toEqual([told, told]);
    } finally {
      await store.close();
    }
  });
});
