/**
 * Every public async iterator, in each of its states, ended in each way: none waits for ever, each
 * ends as its comment says, and leaves nothing behind.
 */
import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type EventId, ZERO_ID } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import type { Start } from '../../../src/event/start.ts';
import { Closed, WrongType } from '../../../src/event/store-errors.ts';
import { createLive } from '../../../src/live/create-live.ts';
import type { Live } from '../../../src/live/live.ts';
import { subscribe } from '../../../src/live/subscribe.ts';
import { typedLog } from '../../../src/live/typed-log.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { project } from '../../../src/projection/project.ts';
import type { Store } from '../../../src/stores/open.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { type } from '../../../src/typed/standard-schema.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId, randomLog } from '../../support/names.ts';
import { outcomeOf } from '../../support/soon.ts';
import { endServer, WHOLE_STORES } from './whole-stores.ts';

afterAll(endServer);

const EVENTS = 5;
const counts = defineEvents({ Counted: type<{ n: number }>() }, { unknown: 'ignore' });

/** What both kinds of loops tell, as far as these tests look. */
interface Told {
  readonly kind: string;
  readonly event?: { readonly id: EventId };
}

type Loop = AsyncGenerator<Told, void, undefined>;
type Begin = (world: World, start: Start, signal?: AbortSignal) => Loop;

const LOOPS: Readonly<Record<string, Begin>> = {
  subscribe: ({ live, log }, start, signal) => subscribe(live, log, start, { signal }),
  'typedLog.subscribe': ({ live, log, store }, start, signal) =>
    typedLog(store.log, counts).subscribe(live, log, start, { signal }),
};

interface World extends AsyncDisposable {
  readonly store: Store<EventLog>;
  /** Counts what is open. */
  readonly live: Live;
  readonly log: LogName;
  readonly ids: readonly EventId[];
  open(): number;
}

async function world(kind: string): Promise<World> {
  const whole = await WHOLE_STORES[kind]!();
  const { store } = whole;
  const log = randomLog();
  const { ids } = await store.log.append(
    log,
    Array.from({ length: EVENTS }, (_, n) => ({ type: 'Counted', payload: { n } })),
  );
  const live = createLive({ log: store.log });
  const open = new Set<object>();
  const counted: Live = {
    ...live,
    subscribe(name, start, sink) {
      const subscription = live.subscribe(name, start, {
        ready: () => sink.ready(),
        batch: (batch) => sink.batch(batch),
        live: (at) => sink.live(at),
        trimmed: (after) => sink.trimmed(after),
        reset: (version) => sink.reset(version),
        failed: (error) => {
          open.delete(subscription);
          sink.failed(error);
        },
      });
      open.add(subscription);
      return {
        get cursor() {
          return subscription.cursor;
        },
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        drained: () => subscription.drained(),
        close: () => {
          open.delete(subscription);
          subscription.close();
        },
      };
    },
  };
  return { ...whole, store, live: counted, log, ids, open: () => open.size };
}

type Results = readonly Promise<IteratorResult<Told, void>>[];

/** Brings a loop into a state. @returns the calls of `next()` that wait in it */
type Bring = (loop: Loop) => Promise<Results>;

async function untilLive(loop: Loop): Promise<void> {
  for (let last = ''; last !== 'live'; ) last = (await loop.next()).value!.kind;
}

const STATES: Readonly<Record<string, Bring>> = {
  'not begun': async () => [],
  'catching up': async (loop) => [loop.next()],
  'live and waiting': async (loop) => {
    await untilLive(loop);
    const waiting = loop.next();
    await nextTurn();
    return [waiting];
  },
  'live, with several that wait': async (loop) => {
    await untilLive(loop);
    return [loop.next(), loop.next(), loop.next()];
  },
  delivering: async (loop) => {
    expect((await loop.next()).value!.kind).toBe('event');
    return [];
  },
};

const REASON = new Error('enough');
type End = (world: World, loop: Loop, aborting: AbortController) => unknown;

/** Ends that somebody else makes, and what the loop is told. */
const FROM_OUTSIDE: Readonly<Record<string, [end: End, error: unknown]>> = {
  'an aborted signal': [(_world, _loop, aborting) => aborting.abort(REASON), REASON],
  'live.close()': [({ live }) => live.close(), expect.any(Closed)],
  'log.close()': [({ store }) => store.log.close(), expect.any(Closed)],
  'store.close()': [({ store }) => store.close(), expect.any(Closed)],
};

/** Ends that the loop's owner makes. */
const OWN: Readonly<Record<string, End>> = {
  'return()': (_world, loop) => loop.return(),
  'throw()': async (_world, loop) => {
    expect(await outcomeOf(loop.throw(REASON))).toEqual({ error: REASON });
  },
  'an await using': (_world, loop) => loop[Symbol.asyncDispose](),
};

const DONE = { answer: { done: true, value: undefined } };

describe.each(Object.keys(WHOLE_STORES))('loops on %s', (kind) => {
  describe.each(Object.entries(LOOPS))('%s', (_name, begin) => {
    describe.each(Object.entries(STATES))('%s', (state, bring) => {
      test.each(Object.entries(FROM_OUTSIDE))('ends by %s', async (_end, [end, error]) => {
        await using w = await world(kind);
        const aborting = new AbortController();
        const loop = begin(w, { after: ZERO_ID }, aborting.signal);
        const [first = undefined, ...others] = await bring(loop);
        const ended = outcomeOf(Promise.resolve(end(w, loop, aborting)));
        // What is asked before the end counts may still be told, in the one state that reads.
        let told = await outcomeOf(first ?? loop.next());
        while (typeof told === 'object' && 'answer' in told && !told.answer.done) {
          expect(state, String(told)).toMatch(/catching up|delivering/);
          told = await outcomeOf(loop.next());
        }
        expect(told).toEqual({ error });
        for (const other of others) expect(await outcomeOf(other)).toEqual(DONE);
        expect(await outcomeOf(loop.next())).toEqual(DONE);
        expect(await outcomeOf(loop.return())).toEqual(DONE);
        expect(await ended).not.toBe('pending');
        expect(w.open()).toBe(0);
        expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
      });

      test.each(Object.entries(OWN))('ends by %s', async (_end, end) => {
        await using w = await world(kind);
        const aborting = new AbortController();
        const loop = begin(w, { after: ZERO_ID }, aborting.signal);
        const waiting = await bring(loop);
        expect(await outcomeOf(Promise.resolve(end(w, loop, aborting)))).not.toBe('pending');
        for (const each of waiting) expect(await outcomeOf(each)).toEqual(DONE);
        expect(await outcomeOf(loop.next())).toEqual(DONE);
        aborting.abort(REASON);
        expect(await outcomeOf(loop.next())).toEqual(DONE);
        expect(w.open()).toBe(0);
        expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
      });
    });

    test('holds nothing before it is begun, and nothing after `for await` was left', async () => {
      await using w = await world(kind);
      const { signal } = new AbortController();
      const loop = begin(w, { after: ZERO_ID }, signal);
      expect([w.open(), getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
      for await (const told of loop) {
        expect([w.open(), getEventListeners(signal, 'abort').length]).toEqual([1, 1]);
        if (told.kind === 'live') break;
      }
      expect([w.open(), getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
    });

    test('was aborted before it began', async () => {
      await using w = await world(kind);
      const loop = begin(w, { after: ZERO_ID }, AbortSignal.abort(REASON));
      expect(await outcomeOf(loop.next())).toEqual({ error: REASON });
      expect(await outcomeOf(loop.next())).toEqual(DONE);
      expect(w.open()).toBe(0);
    });

    test('goes on after the event that was told last, when it was cut in the middle', async () => {
      await using w = await world(kind);
      const aborting = new AbortController();
      const told: EventId[] = [];
      const read = async (loop: Loop) => {
        for await (const { kind: what, event } of loop) {
          if (what === 'live') break;
          told.push(event!.id);
          if (told.length === 2) aborting.abort(REASON);
        }
      };
      const cut = await outcomeOf(read(begin(w, { after: ZERO_ID }, aborting.signal)));
      expect(cut).toEqual({ error: REASON });
      expect(told.length).toBe(2);
      await read(begin(w, { after: told[1]! }));
      expect(told).toEqual(w.ids);
    });

    test('answers several that wait in the order in which they asked', async () => {
      await using w = await world(kind);
      const loop = begin(w, 'now');
      await untilLive(loop);
      const waiting = [loop.next(), loop.next(), loop.next()];
      const noted = Array.from({ length: 3 }, (_, n) => ({ type: 'Counted', payload: { n } }));
      const { ids } = await w.store.log.append(w.log, noted);
      const answers = await Promise.all(waiting);
      expect(answers.map(({ value }) => value!.event?.id)).toEqual(ids);
      await loop.return();
    });

    test('ends with what it failed with, after what came before, and then is done', async () => {
      await using w = await world(kind);
      const { log } = w.store;
      const broken: EventLog = Object.assign(Object.create(log) as EventLog, {
        follow: log.follow.bind(log),
        read: async (name: LogName, options?: object) => {
          if (isBroken) throw new WrongType(name);
          return log.read(name, options);
        },
      });
      let isBroken = false;
      const live = createLive({ log: broken });
      const { signal } = new AbortController();
      const loop = begin({ ...w, live }, { after: ZERO_ID }, signal);
      expect((await loop.next()).value!.kind).toBe('event');
      await eventually(() => getEventListeners(signal, 'abort').length === 1);
      isBroken = true;
      live.close();
      const other = begin({ ...w, live: createLive({ log: broken }) }, { after: ZERO_ID }, signal);
      expect(await outcomeOf(other.next())).toEqual({ error: expect.any(WrongType) });
      expect(await outcomeOf(other.next())).toEqual(DONE);
      expect(await outcomeOf(loop.next())).toEqual({ error: expect.any(Closed) });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });
  });

  test('a closed live refuses, by whatever way', async () => {
    await using w = await world(kind);
    w.live.close();
    expect(() => w.live.subscribe(w.log, 'now', {} as never)).toThrow(Closed);
    await expect(w.live.read(w.log)).rejects.toThrow(Closed);
    for (const begin of Object.values(LOOPS)) {
      await expect(begin(w, 'now').next()).rejects.toThrow(Closed);
    }
    w.live.close();
  });

  test('a page that waits for room is refused when its live is closed', async () => {
    await using w = await world(kind);
    const live = createLive({ log: w.store.log, readBudget: 1 });
    const pages = [live.read(w.log), live.read(w.log), live.read(w.log)];
    live.close();
    const outcomes = await Promise.all(pages.map((page) => outcomeOf(page)));
    expect(outcomes.slice(1)).toEqual([
      { error: expect.any(Closed) },
      { error: expect.any(Closed) },
    ]);
  });

  test('a sink is told Closed by live.close(), once', async () => {
    await using w = await world(kind);
    const told: unknown[] = [];
    const subscription = w.live.subscribe(w.log, 'now', {
      ready: () => true,
      batch: () => {},
      live: () => told.push('live'),
      trimmed: () => {},
      reset: () => {},
      failed: (error) => told.push(error),
    });
    await eventually(() => told.length === 1);
    w.live.close();
    w.live.close();
    subscription.close();
    expect(told).toEqual(['live', expect.any(Closed)]);
  });

  describe('projection.rows()', () => {
    /** With rows of its own. */
    async function rowed(w: World) {
      const category = randomId();
      for (let n = 0; n < 3; n += 1) {
        await w.store.log.append(randomLog(category), [{ type: 'Counted', payload: { n } }]);
      }
      const on = { Counted: (row: { count: number }) => ({ count: row.count + 1 }) };
      const initial = () => ({ count: 0 });
      const projection = project(w.store, { name: `rows-${category}`, category, initial, on });
      await projection.caughtUp();
      return projection;
    }

    test.each(['not begun', 'waiting', 'between rows'])('%s ends by return()', async (state) => {
      await using w = await world(kind);
      const projection = await rowed(w);
      const rows = projection.rows()[Symbol.asyncIterator]();
      const waiting = state === 'not begun' ? [] : [rows.next()];
      if (state === 'between rows') await waiting[0];
      expect(await outcomeOf(rows.return!())).toEqual(DONE);
      for (const each of waiting) expect(await outcomeOf(each)).not.toBe('pending');
      expect(await outcomeOf(rows.next())).toEqual(DONE);
    });

    test.each(['not begun', 'waiting', 'between rows'])('%s ends with the store', async (state) => {
      await using w = await world(kind);
      const projection = await rowed(w);
      const rows = projection.rows()[Symbol.asyncIterator]();
      const waiting = state === 'not begun' ? [] : [rows.next()];
      if (state === 'between rows') await waiting[0];
      await w.store.close();
      for (const each of waiting) expect(await outcomeOf(each)).not.toBe('pending');
      // Rows that were read may still come.
      let last = await outcomeOf(rows.next());
      for (let more = 0; more < 3 && typeof last === 'object' && 'answer' in last; more += 1) {
        last = await outcomeOf(rows.next());
      }
      if (state === 'not begun') expect(last).toEqual({ error: expect.any(Closed) });
      else expect([DONE, { error: expect.any(Closed) }]).toContainEqual(last);
    });
  });
});
