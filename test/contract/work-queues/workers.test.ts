/** Workers on every store: order, retries, dead letters, and an orderly end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type EventId, predecessorOf } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import type { Notice } from '../../../src/metrics/notice.ts';
import { deadLetterLog } from '../../../src/worker/dead-letters.ts';
import { type Worker, type WorkOptions, work } from '../../../src/worker/work.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId, randomLog } from '../../support/names.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { endServers, type OpenedStore, STORES } from './worker-stores.ts';

afterAll(endServers);

const QUICK = { firstDelay: 2, maxDelay: 20 };

describe.each(Object.keys(STORES))('workers on %s', (kind) => {
  const setUp = STORES[kind]!;

  /** A category of its own, a group, and what starts workers of it. */
  async function world() {
    const stores = await setUp();
    const store = await stores.open();
    const category = randomId();
    const group = `group-${category}`;
    const workers: Worker[] = [];
    const start = async (
      options: Partial<WorkOptions> & Pick<WorkOptions, 'handler'>,
      on: OpenedStore = store,
    ) => {
      const worker = await work(on, { group, category, retries: QUICK, ...options });
      workers.push(worker);
      return worker;
    };
    return {
      ...{ stores, store, category, group, start },
      append: async (log: LogName, ...types: string[]): Promise<readonly EventId[]> => {
        const events = types.map((type) => ({ type, payload: { type } }));
        return (await store.log.append(log, events)).ids;
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(workers.map((worker) => worker.stop()));
        await stores[Symbol.asyncDispose]();
      },
    };
  }

  test('append once under one name, however often the handler begins again', async () => {
    await using w = await world();
    const [log, to] = [randomLog(w.category), randomLog('inbox')];
    const appended: boolean[] = [];
    const worker = await w.start({
      retries: { ...QUICK, attempts: 3 },
      async handler({ type }, { attempt, once }) {
        const note = { type: 'Note', payload: type };
        for (const name of ['first', 'second']) {
          appended.push((await w.store.log.append(to, [note], once(name))).duplicate);
        }
        if (attempt < 3) throw new Error('once more');
      },
    });
    await w.append(log, 'A', 'B');
    await worker.drain();
    const { events } = await w.store.log.read(to);
    expect(events.map(({ payload }) => payload)).toEqual(['A', 'A', 'B', 'B']);
    expect(appended.filter((duplicate) => duplicate)).toHaveLength(8);
  });

  test('refuse one name twice in a call of a handler, and take what it answered for several logs', async () => {
    await using w = await world();
    const [log, to, other] = [randomLog(w.category), randomLog('inbox'), randomLog('inbox')];
    const note = { type: 'Note', payload: null };
    const worker = await w.start({
      retries: { ...QUICK, attempts: 2 },
      async handler({ type }, { once }) {
        const copy = once('copy');
        for (const each of [to, other]) await w.store.log.append(each, [note], copy);
        if (type === 'Twice') once('copy');
      },
    });
    await w.append(log, 'Once', 'Twice');
    await worker.drain();
    for (const each of [to, other]) {
      expect((await w.store.log.read(each)).events).toHaveLength(2);
    }
    expect(await worker.deadLetters()).toMatchObject([
      { type: 'Twice', attempts: 2, error: expect.stringMatching(/^name .*once.*another name/) },
    ]);
  });

  test('hand over every event, those of one log in order, under 8 workers and failures', async () => {
    await using w = await world();
    const chance = SeededRandom.fromEnvironment();
    const random = () => chance.next();
    const logs = Array.from({ length: 30 }, () => randomLog(w.category));
    const history = new Map<LogName, EventId[]>(logs.map((log) => [log, []]));
    const expected = new Map<LogName, EventId[]>(logs.map((log) => [log, []]));
    const busy = new Set<LogName>();
    const stores = await Promise.all(Array.from({ length: 8 }, () => w.stores.open()));
    const workers = await Promise.all(
      stores.map((store) =>
        w.start(
          {
            concurrency: 3,
            retries: { ...QUICK, attempts: 1_000 },
            handler: async ({ log, id }) => {
              expect(busy.has(log), 'one at a time').toBe(false);
              busy.add(log);
              try {
                if (random() < 0.3) await sleep(random() * 3);
                if (random() < 0.1) throw new Error('by chance');
                history.get(log)!.push(id);
              } finally {
                busy.delete(log);
              }
            },
          },
          store,
        ),
      ),
    );
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        logs.map(async (log) => {
          const count = 1 + Math.floor(random() * 4);
          const ids = await w.append(log, ...Array.from({ length: count }, () => 'Grown'));
          expected.get(log)!.push(...ids);
        }),
      );
    }
    await workers[0]!.drain();
    // None of them died, so that each is handled with success just once.
    expect(history, `seed ${chance.seed}`).toEqual(expected);
    expect(await workers[0]!.deadLetters()).toEqual([]);
  });

  test('try again, later, and then make a dead letter and go on', async () => {
    await using w = await world();
    const log = randomLog(w.category);
    const tried: string[] = [];
    const notices: string[] = [];
    const worker = await w.start({
      retries: { ...QUICK, attempts: 3 },
      handler: ({ type }, { attempt }) => {
        tried.push(`${type} ${attempt}`);
        if (type === 'Bad' || attempt < 2) throw new Error(`no ${type}`);
      },
      onNotice: (notice) => notices.push(notice.what),
    });
    const [good, bad, next] = await w.append(log, 'Good', 'Bad', 'Next');
    await worker.drain();
    expect(tried).toEqual([...['Good 1', 'Good 2', 'Bad 1', 'Bad 2', 'Bad 3', 'Next 1', 'Next 2']]);
    expect(notices.sort()).toEqual(['dead_letter', 'failed', 'failed', 'failed', 'failed']);
    const letters = await worker.deadLetters();
    expect(letters).toMatchObject([{ log, id: bad, type: 'Bad', attempts: 3, error: 'no Bad' }]);
    const { events } = await w.store.log.read(deadLetterLog(w.group));
    expect(events[0]!.meta).toMatchObject({ causationId: `${log}/${bad}` });
    expect(good! < next!).toBe(true);
  });

  test('redrive and discard dead letters', async () => {
    await using w = await world();
    const log = randomLog(w.category);
    let isWell = false;
    const handled: string[] = [];
    const worker = await w.start({
      retries: { ...QUICK, attempts: 1 },
      handler: ({ type }, { redriven }) => {
        if (type !== 'Good' && !isWell) throw new Error('not yet');
        handled.push(`${type}${redriven ? ' again' : ''}`);
      },
    });
    await w.append(log, 'Bad', 'Good', 'Worse');
    await worker.drain();
    const [bad, worse] = await worker.deadLetters();
    await worker.redrive(bad!.letter);
    // It fails again, and is another letter then.
    const again = await eventually(async () => {
      const letters = await worker.deadLetters();
      expect(letters.map(({ letter }) => letter)).not.toContain(bad!.letter);
      return letters.find(({ id }) => id === bad!.id)!;
    });
    await expect(worker.redrive(bad!.letter)).rejects.toMatchObject({ code: 'no_dead_letter' });
    expect(again).toMatchObject({ log, type: 'Bad', error: 'not yet' });
    isWell = true;
    await worker.redrive(again.letter);
    await worker.discard(worse!.letter);
    await eventually(async () => expect(await worker.deadLetters()).toEqual([]));
    expect(handled).toEqual(['Good', 'Bad again']);
    await w.append(log, 'Good');
    await worker.drain();
    expect(handled).toEqual(['Good', 'Bad again', 'Good']);
  });

  test.each(['continue', 'hold'] as const)(
    'skip a dead letter whose event was trimmed, and say so (%s)',
    async (onDeadLetter) => {
      await using w = await world();
      const log = randomLog(w.category);
      const handled: string[] = [];
      const notices: Notice[] = [];
      const worker = await w.start({
        onDeadLetter,
        retries: { ...QUICK, attempts: 1 },
        handler: ({ type }) => {
          handled.push(type);
          if (type === 'Bad') throw new Error('no');
        },
        onNotice: (notice) => notices.push(notice),
      });
      const [bad] = await w.append(log, 'Bad');
      await worker.drain();
      const [letter] = await worker.deadLetters();
      await w.append(log, 'Good');
      await w.store.log.trim(log, bad!);
      expect(await worker.redrive(letter!.letter)).toEqual({ ...letter, skipped: 'trimmed' });
      expect(notices).toContainEqual({
        ...{ what: 'skipped', log, reason: 'trimmed', letter: letter!.letter },
        by: `the worker ${w.group}`,
        after: predecessorOf(bad!),
      });
      expect(await worker.deadLetters()).toEqual([]);
      await worker.drain();
      expect(handled).toEqual(['Bad', 'Good']);
      const { events } = await w.store.log.read(deadLetterLog(w.group));
      expect(events.slice(1)).toMatchObject([
        { type: 'Skipped', payload: { letter: letter!.letter, log, id: bad, reason: 'trimmed' } },
      ]);
      await expect(worker.redrive(letter!.letter)).rejects.toMatchObject({
        code: 'no_dead_letter',
      });
    },
  );

  test('skip it also when it was trimmed after somebody asked for it', async () => {
    await using w = await world();
    const log = randomLog(w.category);
    const handled: string[] = [];
    const options = { retries: { ...QUICK, attempts: 1 } };
    const handler = ({ type }: { type: string }) => {
      handled.push(type);
      if (type === 'Bad') throw new Error('no');
    };
    const first = await w.start({ ...options, handler });
    const [bad] = await w.append(log, 'Bad', 'Good');
    await first.drain();
    const [letter] = await first.deadLetters();
    await first.stop();
    expect(await first.redrive(letter!.letter)).toEqual(letter);
    await w.store.log.trim(log, bad!);
    const notices: Notice[] = [];
    const second = await w.start({ ...options, handler, onNotice: (each) => notices.push(each) });
    await second.drain();
    expect(notices).toEqual([
      {
        ...{ what: 'skipped', log, reason: 'trimmed', letter: letter!.letter },
        by: `the worker ${w.group}`,
        after: predecessorOf(bad!),
      },
    ]);
    expect(await second.deadLetters()).toEqual([]);
    expect(handled).toEqual(['Bad', 'Good']);
    const { events } = await w.store.log.read(deadLetterLog(w.group));
    expect(events.slice(1)).toMatchObject([
      { type: 'Skipped', payload: { letter: letter!.letter, log, id: bad, reason: 'trimmed' } },
    ]);
  });

  test('hold a log for its dead letter, if told so', async () => {
    await using w = await world();
    const [redriven, discarded] = [randomLog(w.category), randomLog(w.category)];
    let isWell = false;
    const handled: string[] = [];
    const worker = await w.start({
      onDeadLetter: 'hold',
      retries: { ...QUICK, attempts: 2 },
      handler: ({ type, log }) => {
        if (type === 'Bad' && !isWell) throw new Error('not yet');
        handled.push(`${type} ${log}`);
      },
    });
    for (const log of [redriven, discarded]) await w.append(log, 'Bad', 'Good');
    await worker.drain();
    expect(handled).toEqual([]);
    const letters = await worker.deadLetters();
    expect(letters).toHaveLength(2);
    const letterOf = (name: LogName) => letters.find(({ log }) => log === name)!.letter;
    await worker.discard(letterOf(discarded));
    await worker.drain();
    expect(handled).toEqual([`Good ${discarded}`]);
    // It fails, and the log stays where it is.
    await worker.redrive(letterOf(redriven));
    const again = await eventually(async () => {
      const [letter] = await worker.deadLetters();
      expect(letter!.letter).not.toBe(letterOf(redriven));
      return letter!;
    });
    await worker.drain();
    expect(handled).toHaveLength(1);
    isWell = true;
    await worker.redrive(again.letter);
    await eventually(() => expect(handled).toHaveLength(3));
    expect(handled.slice(1)).toEqual([`Bad ${redriven}`, `Good ${redriven}`]);
    await worker.drain();
    expect(await worker.deadLetters()).toEqual([]);
  });

  test('end in order: what runs comes to its end, and others go on at once', async () => {
    await using w = await world();
    const log = randomLog(w.category);
    const handled: string[] = [];
    let release = () => {};
    const first = await w.start({
      handler: async ({ type }) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        handled.push(`first ${type}`);
      },
    });
    await w.append(log, 'One', 'Two');
    await eventually(() => expect(release.name).not.toBe('release'));
    const stopping = first.stop();
    const second = await w.start({ handler: ({ type }) => void handled.push(`second ${type}`) });
    await sleep(20);
    expect(handled).toEqual([]);
    release();
    await stopping;
    await second.drain();
    expect(handled).toEqual(['first One', 'second Two']);
  });

  test('abort what does not end, and let it be done by others', async () => {
    await using w = await world();
    const log = randomLog(w.category);
    const handled: string[] = [];
    let begun = 0;
    const first = await w.start({
      grace: 20,
      retries: { ...QUICK, attempts: 1 },
      handler: (_, { signal }) => {
        begun += 1;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    });
    await w.append(log, 'One', 'Two');
    await eventually(() => expect(begun).toBe(1));
    await first.stop();
    const second = await w.start({
      handler: ({ type }, { attempt }) => void handled.push(`${type} ${attempt}`),
    });
    await second.drain();
    // That was no failure of the event.
    expect(handled).toEqual(['One 1', 'Two 1']);
  });

  test('pass over what was trimmed', async () => {
    await using w = await world();
    const log = randomLog(w.category);
    const [one, two] = await w.append(log, 'One', 'Two', 'Three');
    await w.store.log.trim(log, two!);
    const [seen, notices]: [string[], unknown[]] = [[], []];
    const worker = await w.start({
      handler: ({ type }) => void seen.push(type),
      onNotice: (notice) => notices.push(notice),
    });
    await worker.drain();
    expect(seen).toEqual(['Three']);
    expect(notices).toMatchObject([{ what: 'skipped', reason: 'trimmed', log }]);
    const all = await w.append(log, 'Four', 'Five');
    await w.store.log.trim(log, all[1]!);
    await worker.drain();
    expect(one).toBeDefined();
    await w.append(log, 'Six');
    await worker.drain();
    expect(seen.at(-1)).toBe('Six');
  });

  test('start with what comes, if told so', async () => {
    await using w = await world();
    const [old, fresh] = [randomLog(w.category), randomLog(w.category)];
    await w.append(old, 'Old');
    const seen: string[] = [];
    const worker = await w.start({ from: 'now', handler: ({ type }) => void seen.push(type) });
    await sleep(2);
    await w.append(old, 'New');
    await w.append(fresh, 'First');
    await worker.drain();
    expect(seen.sort()).toEqual(['First', 'New']);
  });

  test('refuse options that break a rule', async () => {
    await using w = await world();
    const handler = () => {};
    await expect(w.start({ handler, concurrency: 0 })).rejects.toMatchObject({
      field: 'concurrency',
    });
    await expect(w.start({ handler, retries: { attempts: 0 } })).rejects.toMatchObject({
      field: 'retries.attempts',
    });
    await expect(w.start({ handler: 'x' as never })).rejects.toMatchObject({ field: 'handler' });
    await expect(w.start({ handler, group: 'a b' })).rejects.toMatchObject({ field: 'group' });
  });
});
