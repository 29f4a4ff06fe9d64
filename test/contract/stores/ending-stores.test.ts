/** Closing a store ends all that runs on it: in order, with a grace, and whatever it was given. */
import { once } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createAccounts } from '../../../src/accounts/accounts.ts';
import { decider } from '../../../src/decider/decider.ts';
import { commandHandler } from '../../../src/decider/handling/command-handler.ts';
import { type EventId, ZERO_ID } from '../../../src/event/event-id.ts';
import { Closed } from '../../../src/event/store-errors.ts';
import { createGateway } from '../../../src/gateway/gateway.ts';
import { listen } from '../../../src/gateway/node/listen.ts';
import { createLive } from '../../../src/live/create-live.ts';
import { subscribe } from '../../../src/live/subscribe.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { project } from '../../../src/projection/project.ts';
import { react } from '../../../src/projection/react.ts';
import { work } from '../../../src/worker/work.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId, randomLog } from '../../support/names.ts';
import { outcomeOf } from '../../support/soon.ts';
import { endServer, WHOLE_STORES } from './whole-stores.ts';

afterAll(endServer);

const CLOSED = { error: expect.any(Closed) };

const counter = decider({
  name: 'counter',
  initial: 0,
  log: ({ to }: { to: string }) => to,
  decide: () => ({ type: 'Counted', payload: null }),
  evolve: (sum: number) => sum + 1,
});

/** Opens when somebody says so. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe.each(Object.keys(WHOLE_STORES))('closing the store on %s', (kind) => {
  async function world() {
    const whole = await WHOLE_STORES[kind]!();
    const name = randomId();
    return { ...whole, name, log: randomLog(name) };
  }

  test('ends a whole application, and lets what is under way come to its end', async () => {
    await using w = await world();
    const { store, name, log } = w;
    const live = createLive({ log: store.log });
    const accounts = createAccounts({ log: store.log, records: store.records });
    const gateway = createGateway({ log: store.log, live, records: store.records, accounts });
    const server = await listen(gateway, { port: 0 });
    const handler = commandHandler(store.log, counter);
    const counts = project(store, {
      ...{ name: `counts-${name}`, category: `done-${name}`, initial: () => 0 },
      on: { Counted: (count: number) => count + 1 },
    });
    const reaction = react(store, { name: `told-${name}`, category: name, each: () => {} });
    const closing = gate();
    const begun = gate();
    const done: unknown[] = [];
    const worker = await work(store, {
      ...{ group: name, category: name },
      async handler() {
        begun.open();
        await closing.opened;
        // All of this is needed to the end.
        const { state } = await handler.handle({ to: `done-${name}:1` });
        await counts.caughtUp();
        done.push(state, await counts.get(`done-${name}:1`));
      },
    });
    const waiting: unknown[] = [];
    const reading = async () => {
      for await (const { kind: what } of subscribe(live, log, 'now')) waiting.push(what);
    };
    const loop = outcomeOf(reading(), 20_000);
    await eventually(() => waiting.length === 1);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/1`);
    await once(socket, 'open');
    const left = once(socket, 'close');
    await store.log.append(log, [{ type: 'Asked', payload: null }]);
    await begun.opened;

    const closed = store.close();
    expect(store.close(), 'the same end').toBe(closed);
    expect((await left)[0]).toBe(1001);
    await expect(fetch(server.url)).rejects.toThrow();
    expect(await outcomeOf(closed, 50)).toBe('pending');
    closing.open();
    expect(await outcomeOf(closed)).toEqual({ answer: undefined });
    expect(done).toEqual([1, 1]);
    expect(await loop).toEqual(CLOSED);
    expect([counts.status().state, reaction.status().state]).toEqual(['stopped', 'stopped']);
    expect(await outcomeOf(worker.drain())).toEqual(CLOSED);
    expect(await outcomeOf(handler.handle({ to: log }))).toEqual(CLOSED);
    expect(await outcomeOf(store.log.read(log))).toEqual(CLOSED);
    expect(await outcomeOf(store.records.get('x'))).toEqual(CLOSED);
    expect(() => live.subscribe(log, 'now', {} as never)).toThrow(Closed);
  });

  test('does not wait beyond the grace for what does not come to its end', async () => {
    await using w = await world();
    const { store, name, log } = w;
    const never = new Promise<never>(() => {});
    const begun = [gate(), gate(), gate()] as const;
    const signals: AbortSignal[] = [];
    await work(store, {
      ...{ group: name, category: name },
      handler(_event, { signal }) {
        signals.push(signal);
        begun[0].open();
        return never;
      },
    });
    react(store, {
      ...{ name, category: name, onNotice: () => {} },
      each(_event, signal) {
        signals.push(signal);
        begun[1].open();
        return never;
      },
    });
    // A database of the application's that does not answer any more.
    const commit = () => {
      begun[2].open();
      return never;
    };
    const readModel = { checkpoint: async () => null, commit } as never;
    project(store, { name, category: name, readModel, initial: () => 0, on: { Asked: () => 1 } });
    await store.log.append(log, [{ type: 'Asked', payload: null }]);
    await Promise.all(begun.map(({ opened }) => opened));
    const since = performance.now();
    await store.close(50);
    expect(performance.now() - since).toBeLessThan(4_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test('answers every command that was handed over, and those it says are done are', async () => {
    await using w = await world();
    const { store, log } = w;
    const handler = commandHandler(store.log, counter);
    // With an ID each: they cannot share an append.
    const commands = Array.from({ length: 50 }, (_, n) =>
      handler.handle({ to: log }, { commandId: `c${n}` }),
    );
    const outcomes = Promise.all(commands.map((command) => outcomeOf(command)));
    const told: EventId[] = [];
    const live = createLive({ log: store.log });
    for await (const delivery of subscribe(live, log, { after: ZERO_ID })) {
      if (delivery.kind !== 'event') continue;
      told.push(delivery.event.id);
      break;
    }
    await store.close();
    for (const outcome of await outcomes) {
      if (typeof outcome === 'object' && 'answer' in outcome) continue;
      expect(outcome).toEqual(CLOSED);
    }
    expect(told.length).toBe(1);
    expect(await outcomeOf(handler.handle({ to: log }))).toEqual(CLOSED);
  });

  test('has what was given a wrapper around the log end by itself', async () => {
    await using w = await world();
    const { store, name, log } = w;
    const inner = store.log;
    const wrapper: EventLog = {
      append: (...call) => inner.append(...call),
      read: (...call) => inner.read(...call),
      before: (...call) => inner.before(...call),
      follow: (...call) => inner.follow(...call),
      trim: (...call) => inner.trim(...call),
      feed: (...call) => inner.feed(...call),
      followFeed: (...call) => inner.followFeed(...call),
      feedEnd: () => inner.feedEnd(),
      describe: () => inner.describe(),
      close: () => inner.close(),
    };
    const around = { ...store, log: wrapper };
    const problems: unknown[] = [];
    const onNotice = (notice: unknown) => problems.push(notice);
    const live = createLive({ log: wrapper });
    const loop = subscribe(live, log, 'now');
    await loop.next();
    const waiting = outcomeOf(loop.next());
    const counts = project(around, {
      ...{ name, category: name, initial: () => 0, on: { Counted: () => 1 }, onNotice },
    });
    const reaction = react(around, { name, category: name, each: () => {}, onNotice });
    const worker = await work(around, {
      ...{ group: name, category: name, handler: () => {}, onNotice },
    });
    await Promise.all([counts.caughtUp(), reaction.caughtUp(), worker.drain()]);
    await store.close();
    expect(await waiting).toEqual(CLOSED);
    expect(await outcomeOf(counts.ended())).toEqual({ answer: undefined });
    expect(await outcomeOf(reaction.ended())).toEqual({ answer: undefined });
    expect([counts.status().state, reaction.status().state]).toEqual(['stopped', 'stopped']);
    await eventually(async () => expect(await outcomeOf(worker.drain())).toEqual(CLOSED));
    expect(await outcomeOf(worker.stop())).toEqual({ answer: undefined });
    expect(problems).toEqual([]);
  });

  test('has nothing to end that has ended, and closing the log alone is enough', async () => {
    await using w = await world();
    const { store, name, log } = w;
    const live = createLive({ log: store.log });
    const server = await listen(createGateway({ log: store.log, live }), { port: 0 });
    const [kept, ended] = await Promise.all(
      ['kept', 'ended'].map((each) =>
        work(store, { group: `${each}-${name}`, category: name, handler: () => {} }),
      ),
    );
    await ended!.stop();
    await store.log.close();
    await expect(fetch(server.url)).rejects.toThrow();
    expect(await outcomeOf(kept!.drain())).toEqual(CLOSED);
    expect(await outcomeOf(store.log.read(log))).toEqual(CLOSED);
    await server.close();
    await store.close();
  });
});
