/** One reader, with a follower and a log that do what a test says. */
import { expect, test } from 'vitest';
import { MillraceError } from '../../../src/event/error.ts';
import { StoredEvent } from '../../../src/event/event.ts';
import { type EventId, isAfter, makeEventId, ZERO_ID } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import type { Start } from '../../../src/event/start.ts';
import { Unavailable } from '../../../src/event/store-errors.ts';
import { Batch } from '../../../src/live/batch.ts';
import type { LiveContext } from '../../../src/live/live-context.ts';
import { LogReader } from '../../../src/live/log-reader.ts';
import { ReadBudget } from '../../../src/live/read-budget.ts';
import { Window, WindowBudget } from '../../../src/live/window.ts';
import type { EventLog, Page, ReadOptions } from '../../../src/log/log.ts';
import { SILENT } from '../../../src/metrics/observer.ts';
import { eventually } from '../../support/eventually.ts';

const LOG = parseLogName('account:1');
const at = (number: number): EventId => makeEventId(number, 0);
const event = (number: number) => new StoredEvent(at(number), 'T', 'text', String(number));

/** A log of the events 1 to `length`, read page by page, and a reader of it. */
function world(length: number, start: Start = { after: ZERO_ID }) {
  const told: string[] = [];
  const reads: ReadOptions[] = [];
  const asked: number[] = [];
  const pauses: number[] = [];
  const windowBudget = new WindowBudget(100_000);
  const w = {
    ...{ told, reads, asked, pauses, length, ready: true, left: 0, woken: 0 },
    /** What is done before a page is answered. */
    onRead: (): void => {},
    standing: { state: 'whole' } as Page['standing'],
  };
  const read = async (_log: string, options: ReadOptions = {}): Promise<Page> => {
    reads.push(options);
    const { after = ZERO_ID, limit = 100 } = options;
    const { standing } = w;
    w.standing = { state: 'whole' };
    const from = standing.state === 'reset' ? ZERO_ID : after;
    const all = Array.from({ length: w.length }, (_, index) => event(index + 1));
    const wanted = all.filter(({ id }) => isAfter(id, from));
    // A turn later, as from any store, so that a test goes on while a reader reads.
    await new Promise(setImmediate);
    w.onRead();
    const events = wanted.slice(0, limit);
    return { events, more: events.length < wanted.length, version: at(w.length), standing };
  };
  const before = async (_log: string, count: number): Promise<EventId> => {
    asked.push(count);
    return at(Math.max(0, w.length - count));
  };
  const follower = {
    log: LOG,
    window: new Window(at(length), 100_000, windowBudget),
    tail: at(length),
    wakes: 0,
    started: Promise.resolve(),
    wake: () => {
      w.woken += 1;
    },
    leave: () => {
      w.left += 1;
    },
  };
  const context: LiveContext = {
    log: { read, before } as unknown as EventLog,
    budget: new ReadBudget(10_000_000),
    ...{ windowBudget, windowBytes: 100_000, pageBytes: 100_000, pageEvents: 3 },
    observer: SILENT,
    subscribed: () => {},
    pauseBeforeRetry: async (attempt) => void pauses.push(attempt),
  };
  const reader = new LogReader(follower, context, start, {
    ready: () => w.ready,
    batch: ({ events }) => void told.push(...events.map(({ payload }) => String(payload))),
    live: (id) => void told.push(`live ${id}`),
    trimmed: (id) => void told.push(`trimmed ${id}`),
    reset: (id) => void told.push(`reset ${id}`),
    failed: ({ code }) => void told.push(`failed ${code}`),
  });
  const isLive = () => eventually(() => reader.isLive);
  return Object.assign(w, { reader, follower, isLive });
}

test('reads page by page, and is live at the end, told once', async () => {
  const w = world(7);
  w.reader.readOn();
  await w.isLive();
  expect(w.told).toEqual(['1', '2', '3', '4', '5', '6', '7', 'live 7-0']);
  expect(w.reads.map(({ after }) => after)).toEqual([ZERO_ID, at(3), at(6)]);
  w.reader.pause();
  w.reader.resume();
  await w.isLive();
  expect(w.told).toHaveLength(8);
});

test('who starts now reads no event', async () => {
  const w = world(7, 'now');
  w.reader.readOn();
  await w.isLive();
  expect(w.told).toEqual(['live 7-0']);
  expect(w.reads).toMatchObject([{ limit: 0, unchecked: true }]);
});

test('with the last events: where they begin is asked for once, and not checked', async () => {
  const w = world(7, { last: 5 });
  w.reader.readOn();
  await w.isLive();
  expect(w.told).toEqual(['3', '4', '5', '6', '7', 'live 7-0']);
  expect(w.asked).toEqual([5]);
  expect(w.reads.map(({ after, unchecked }) => [after, unchecked])).toEqual([
    [at(2), true],
    [at(5), false],
  ]);
});

test('which the last events are counts when they are delivered', async () => {
  const w = world(7, { last: 2 });
  w.onRead = () => {
    w.ready = w.reads.length > 1;
    if (w.ready) return;
    w.length = 9;
    w.follower.tail = at(9);
    w.follower.window.clear(at(9));
  };
  w.reader.readOn();
  await eventually(() => w.reads.length === 1 && !w.ready);
  await new Promise(setImmediate);
  w.ready = true;
  w.reader.drained();
  await w.isLive();
  expect(w.told).toEqual(['8', '9', 'live 9-0']);
});

test('nothing is read for a sink that takes nothing', async () => {
  const w = world(2);
  w.ready = false;
  w.reader.readOn();
  await eventually(() => w.reader.cursor === ZERO_ID);
  expect(w.reads).toEqual([]);
  w.ready = true;
  w.reader.drained();
  await w.isLive();
  expect(w.told).toEqual(['1', '2', 'live 2-0']);
});

test.each(['full', 'paused'])(
  'a page that comes when its sink is %s is read again',
  async (how) => {
    const w = world(2);
    let answered = false;
    w.onRead = () => {
      answered = true;
      if (how === 'full') w.ready = false;
      else w.reader.pause();
    };
    w.reader.readOn();
    await eventually(() => answered);
    await new Promise(setImmediate);
    expect(w.told).toEqual([]);
    w.onRead = () => {};
    w.ready = true;
    w.reader.resume();
    w.reader.drained();
    await w.isLive();
    expect(w.told).toEqual(['1', '2', 'live 2-0']);
    expect(w.reads.map(({ after }) => after)).toEqual([ZERO_ID, ZERO_ID]);
  },
);

test('nothing is told after the end, not even a page that was under way', async () => {
  const w = world(2);
  w.onRead = () => w.reader.close();
  w.reader.readOn();
  await eventually(() => w.left === 1);
  w.reader.close();
  w.reader.fail(new MillraceError('internal', 'too late'));
  w.reader.resume();
  await new Promise(setImmediate);
  expect([w.told, w.left, w.reads.length]).toEqual([[], 1, 1]);
});

test('a store that is away is asked again, after longer and longer', async () => {
  const w = world(1);
  w.onRead = () => {
    if (w.reads.length < 3) throw new Unavailable('away');
  };
  w.reader.readOn();
  await w.isLive();
  expect(w.pauses).toEqual([1, 2]);
  expect(w.told).toEqual(['1', 'live 1-0']);
});

test('what trying again cannot mend ends it, and nothing of the cause is told', async () => {
  const w = world(1);
  w.onRead = () => {
    throw new TypeError('a mistake');
  };
  w.reader.readOn();
  await eventually(() => w.told.length > 0);
  expect([w.told, w.left, w.pauses]).toEqual([['failed internal'], 1, []]);
});

test('is told first that events were trimmed, or lost, and then goes on', async () => {
  const trimmed = world(5, { after: at(1) });
  trimmed.standing = { state: 'trimmed', resumeAfter: at(3) };
  trimmed.reader.readOn();
  await trimmed.isLive();
  expect(trimmed.told[0]).toBe('trimmed 3-0');
  expect(trimmed.told.at(-1)).toBe('live 5-0');

  const lost = world(2, { after: at(9) });
  lost.standing = { state: 'reset', version: at(2) };
  lost.reader.readOn();
  await lost.isLive();
  expect(lost.told).toEqual(['reset 2-0', '1', '2', 'live 2-0']);
});

test('while it is live, it takes what follows its cursor, and looks where something is missing', async () => {
  const w = world(2);
  const push = (previous: number, ...numbers: number[]) =>
    w.reader.push(at(previous), new Batch(LOG, numbers.map(event)));
  w.reader.readOn();
  await w.isLive();
  push(2, 3);
  push(1, 2, 3, 4); // it has the first two
  push(3, 4); // it has that
  expect(w.told).toEqual(['1', '2', 'live 2-0', '3', '4']);
  expect(w.reader.isLive).toBe(true);

  w.length = 7;
  w.follower.tail = at(7);
  push(5, 6, 7); // 5 has not come
  expect(w.reader.isLive).toBe(false);
  await w.isLive();
  expect(w.told.slice(5)).toEqual(['5', '6', '7']);
});

test('what comes while its sink is full is left in the log', async () => {
  const w = world(1);
  w.reader.readOn();
  await w.isLive();
  w.ready = false;
  w.length = 2;
  w.follower.tail = at(2);
  w.reader.push(at(1), new Batch(LOG, [event(2)]));
  expect([w.reader.isLive, w.reader.cursor]).toEqual([false, at(1)]);
  w.ready = true;
  w.reader.drained();
  await w.isLive();
  expect(w.told).toEqual(['1', 'live 1-0', '2']);
});

test('goes on from the window of its follower without asking the store', async () => {
  const w = world(1);
  w.reader.readOn();
  await w.isLive();
  w.reader.pause();
  w.follower.window.clear(at(1));
  w.follower.window.add(new Batch(LOG, [event(2), event(3)]));
  w.follower.tail = at(3);
  const { length } = w.reads;
  w.reader.resume();
  await w.isLive();
  expect(w.told).toEqual(['1', 'live 1-0', '2', '3']);
  expect(w.reads).toHaveLength(length);
});

test('from a time that has not come, events from before it are not told', async () => {
  const w = world(2, { since: 5 });
  w.reader.readOn();
  await w.isLive();
  w.reader.push(at(2), new Batch(LOG, [event(3), event(4)]));
  w.reader.push(at(4), new Batch(LOG, [event(5)]));
  w.reader.push(at(5), new Batch(LOG, [event(6)]));
  expect(w.told).toEqual(['live 2-0', '5', '6']);
});

test('a follower that is further than the log has its log looked at', async () => {
  const w = world(2);
  w.follower.tail = at(4);
  w.follower.window.clear(at(4));
  w.reader.readOn();
  await eventually(() => w.woken > 0);
  // It looks, and finds that the log has lost them.
  w.follower.tail = at(2);
  await w.isLive();
  expect(w.told).toEqual(['1', '2', 'live 2-0']);
});
