/** A group in this process, over a keeper and a feed that do what a test says. */
import { expect, test } from 'vitest';
import { type EventId, makeEventId, predecessorOf, ZERO_ID } from '../../../src/event/event-id.ts';
import { type LogName, parseLogName } from '../../../src/event/log-name.ts';
import type { Stretch } from '../../../src/feed/feed.ts';
import type { KeptLog } from '../../../src/work-queues/kept-log.ts';
import { LocalGroup } from '../../../src/work-queues/local-group.ts';
import type { LeasedLog, Settlement } from '../../../src/work-queues/work-queues.ts';

const LEASE = 1_000;
const A = parseLogName('account:a');
const B = parseLogName('account:b');
const at = (number: number): EventId => makeEventId(number, 0);

function world(from: 'start' | 'now' = 'start') {
  const kept = new Map<LogName, KeptLog>();
  const feed: Stretch[] = [];
  const w = {
    ...{ kept, feed, now: 5_000 },
    /** What a write waits for. */
    disk: async (): Promise<void> => {},
  };
  const keeper = {
    read: (log: LogName) => kept.get(log),
    write: async (changes: readonly (readonly [LogName, KeptLog])[]) => {
      await w.disk();
      for (const [log, change] of changes) kept.set(log, change);
    },
  };
  const index = {
    read: async (after: string, entries: number) => {
      const begin = Number(after);
      const stretches = feed.slice(begin, begin + entries);
      const next = begin + stretches.length;
      const behind = feed.length - begin;
      return {
        stretches,
        next: `${next}`,
        more: next < feed.length,
        behind,
        standing: 'whole' as const,
      };
    },
    end: async () => `${feed.length}`,
  };
  const group = new LocalGroup({ category: 'account', from }, keeper, index, '0', () => w.now);
  const consumer = {};
  return Object.assign(w, {
    ...{ group, consumer },
    async grow(...grown: [LogName, EventId][]) {
      feed.push(...grown.map(([log, id]) => ({ log, first: id, last: id })));
      await group.look();
    },
    take: (by: object = consumer) => group.take(by, 10, LEASE),
    settle: (leased: LeasedLog, change: Omit<Settlement, 'leased'>, by: object = consumer) =>
      group.settle(by, [{ leased, ...change }], LEASE),
  });
}

test('a log is handed out once, in the order in which it grew, until it is given back', async () => {
  const w = world();
  await w.grow([B, at(1)], [A, at(2)], [B, at(3)]);
  expect(w.take().map(({ log, cursor, told }) => [log, cursor, told])).toEqual([
    [B, ZERO_ID, at(3)],
    [A, ZERO_ID, at(2)],
  ]);
  expect(w.take({})).toEqual([]);
  expect(await w.group.lag()).toBe(2);
});

test('done is done, unless the log has grown since it was leased', async () => {
  const w = world();
  await w.grow([A, at(1)], [B, at(1)]);
  const [a, b] = w.take() as [LeasedLog, LeasedLog];
  await w.grow([A, at(2)]);
  expect(await w.settle(a, { cursor: at(1), next: 'done' })).toEqual([true]);
  expect(await w.settle(b, { cursor: at(1), next: 'done' })).toEqual([true]);
  expect(w.take()).toMatchObject([{ log: A, cursor: at(1), told: at(2) }]);
});

test('who has read further than the feed has told is not told again', async () => {
  const w = world();
  await w.grow([A, at(1)]);
  const [a] = w.take() as [LeasedLog];
  await w.settle(a, { cursor: at(2), next: 'done' });
  await w.grow([A, at(2)]);
  expect(w.take()).toEqual([]);
});

test('a lease ends to the millisecond, and what its holder settles then counts for nothing', async () => {
  const w = world();
  await w.grow([A, at(1)]);
  const [mine] = w.take() as [LeasedLog];
  w.now += LEASE - 1;
  expect(w.take({})).toEqual([]);
  w.now += 1;
  const other = {};
  const [theirs] = w.take(other) as [LeasedLog];
  expect(theirs.takeovers).toBe(1);
  expect(await w.settle(mine, { cursor: at(1), next: 'done' })).toEqual([false]);
  expect(await w.settle({ ...theirs, lease: mine.lease }, { next: 'done' }, other)).toEqual([
    false,
  ]);
  expect(w.kept.size).toBe(0);
  expect(await w.settle(theirs, { cursor: at(1), next: 'done' }, other)).toEqual([true]);
});

test('a lease that is kept lives on, and takeovers are counted in a row', async () => {
  const w = world();
  await w.grow([A, at(1)]);
  const [first] = w.take() as [LeasedLog];
  w.now += LEASE - 1;
  await w.settle(first, { next: 'keep' });
  w.now += LEASE - 1;
  expect(w.take({})).toEqual([]);
  for (const takeovers of [1, 2]) {
    w.now += LEASE;
    expect(w.take()).toMatchObject([{ takeovers }]);
  }
  w.now += LEASE;
  const [last] = w.take() as [LeasedLog];
  await w.settle(last, { next: 'again' });
  expect(w.take()).toMatchObject([{ takeovers: 0 }]);
});

test('a log rests as long as it was told to', async () => {
  const w = world();
  await w.grow([A, at(1)]);
  const [a] = w.take() as [LeasedLog];
  const attempt = { event: at(1), count: 1 };
  await w.settle(a, { attempt, next: { after: 50 } });
  w.now += 49;
  await w.grow([A, at(2)]);
  expect(w.take()).toEqual([]);
  w.now += 1;
  await w.group.look();
  expect(w.take()).toMatchObject([{ log: A, cursor: ZERO_ID, attempt, told: at(2) }]);
});

test('a log on hold waits for what becomes of its dead letter', async () => {
  const w = world();
  const letter = { log: A, event: at(1), letter: at(9) };
  await w.grow([A, at(1)]);
  const [a] = w.take() as [LeasedLog];
  await w.settle(a, { attempt: { event: at(1), count: 5 }, next: 'hold' });
  await w.grow([A, at(2)]);
  expect([w.take(), await w.group.lag()]).toEqual([[], 0]);
  await w.group.redrive(letter);
  await w.group.redrive(letter);
  const [again] = w.take() as [LeasedLog];
  expect(again.redrives).toEqual([{ event: at(1), letter: at(9), attempts: 0 }]);
  await w.settle(again, { redrive: { letter: at(9), attempts: null }, next: 'hold' });
  expect(w.take()).toEqual([]);
  await w.group.discard(letter);
  expect(w.take()).toMatchObject([{ cursor: at(1), attempt: undefined, redrives: [] }]);
});

test('what is being written counts already, and counts no more when it could not be', async () => {
  const w = world();
  await w.grow([A, at(1)]);
  const [a] = w.take() as [LeasedLog];
  let refuse = (_: Error): void => {};
  w.disk = () =>
    new Promise((_, reject) => {
      refuse = reject;
    });
  const settling = w.settle(a, { cursor: at(1), next: 'again' });
  const [during] = w.take() as [LeasedLog];
  expect(during.cursor).toBe(at(1));
  refuse(new Error('full'));
  await expect(settling).rejects.toThrow('full');
  w.disk = async () => {};
  await w.settle(during, { next: 'again' });
  expect(w.take()).toMatchObject([{ cursor: ZERO_ID }]);
});

test('who leaves gives up its own logs, but not those that it still works on', async () => {
  const w = world();
  await w.grow([A, at(1)], [B, at(1)]);
  const other = {};
  const [a] = w.group.take(w.consumer, 1, LEASE) as [LeasedLog];
  const [b] = w.take(other) as [LeasedLog];
  w.group.leave(w.consumer, [a]);
  expect(w.take({})).toEqual([]);
  w.group.leave(other, []);
  expect(w.take({})).toMatchObject([{ log: b.log, takeovers: 0 }]);
});

test('one who waits is woken for one log, and nobody waits when there is one', async () => {
  const w = world();
  const woken: string[] = [];
  const waits = ['first', 'second'].map((name) =>
    w.group.wait(60_000, undefined).then(() => woken.push(name)),
  );
  await w.grow([A, at(1)]);
  await waits[0];
  expect(woken).toEqual(['first']);
  await w.group.wait(60_000, undefined);
  await w.grow([B, at(1)]);
  await waits[1];
  const stopping = new AbortController();
  w.take();
  const waiting = w.group.wait(60_000, stopping.signal);
  stopping.abort();
  await waiting;
});

test('a group from now on begins a log right before what came first then, and does not ask for it', async () => {
  const w = world('now');
  await w.grow([A, at(3)], [A, at(4)]);
  const [a] = w.take() as [LeasedLog];
  expect(a).toMatchObject({ cursor: predecessorOf(at(3)), unchecked: true });
  expect(w.kept.get(A)).toMatchObject({ cursor: a.cursor, unchecked: true });
  await w.settle(a, { cursor: at(4), next: 'again' });
  expect(w.take()).toMatchObject([{ cursor: at(4), unchecked: false }]);
});

test('what was left is there when it is opened again, with how many have died', async () => {
  const w = world();
  w.kept.set(A, { cursor: at(2) });
  w.kept.set(B, { cursor: at(2), due: w.now + 10 });
  w.group.restore(A, at(2), 1);
  w.group.restore(B, at(3), 2);
  expect(w.take()).toEqual([]);
  w.now += 10;
  await w.group.look();
  expect(w.take()).toMatchObject([{ log: B, cursor: at(2), told: at(3) }]);
});
