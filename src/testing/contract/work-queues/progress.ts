import assert from 'node:assert/strict';
import { type LogName, parseLogName } from '../../../event/log-name.ts';
import {
  grow as growIn,
  takeAll,
  takeNow,
  type WorkQueuesSuite,
} from './work-queues-under-test.ts';

const SHORT = 200;

export function progressTests(suite: WorkQueuesSuite): void {
  suite.topic('progress', () => {
    suite.it('lets a log rest, with what was tried', async (context) => {
      const { queues, group, category, newLog, grow, pass } = context;
      const consumer = await queues.join(group, { category });
      const log = newLog();
      const [event] = await grow(log);
      const [leased] = await takeAll(consumer, 1);
      const attempt = { event: event!, count: 3 };
      await consumer.settle([{ leased: leased!, attempt, next: { after: SHORT } }]);
      await grow(log);
      assert.deepEqual(await takeNow(consumer), []);
      assert.ok((await consumer.lag()) >= 1);
      await pass(SHORT + 1);
      const [again] = await takeAll(consumer, 1);
      assert.deepEqual(again!.attempt, attempt);
      assert.equal(again!.takeovers, 0);
      await consumer.settle([{ leased: again!, cursor: event, next: 'again' }]);
      assert.equal((await takeAll(consumer, 1))[0]!.attempt, undefined);
      await consumer.leave();
    });

    suite.it('keeps a log on hold until it is redriven or discarded', async (context) => {
      const { queues, group, category, newLog, grow } = context;
      const consumer = await queues.join(group, { category });
      for (const end of ['redrive', 'discard'] as const) {
        const log = newLog();
        const [event] = await grow(log);
        const [leased] = await takeAll(consumer, 1);
        const attempt = { event: event!, count: 5 };
        await consumer.settle([{ leased: leased!, attempt, next: 'hold' }]);
        const [next] = await grow(log);
        assert.deepEqual(await takeNow(consumer), []);
        assert.equal(await consumer.lag(), 0);
        const letter = { log, event: event!, letter: event! };
        await queues[end](group, letter);
        await queues[end](group, letter);
        const [again] = await takeAll(consumer, 1);
        if (end === 'redrive') {
          const redrive = { event: event!, letter: event!, attempts: 0 };
          assert.deepEqual([again!.redrives, again!.attempt], [[redrive], attempt]);
        } else {
          assert.deepEqual([again!.cursor, again!.attempt], [event, undefined]);
          assert.equal(again!.told, next);
        }
        await consumer.settle([
          {
            ...{ leased: again!, cursor: next, next: 'done' },
            redrive: { letter: event!, attempts: null },
          },
        ]);
        assert.deepEqual(await takeNow(consumer), []);
      }
      await consumer.leave();
    });

    suite.it(
      'hands redrives to whoever has or gets the log, until they are over',
      async (context) => {
        const { queues, group, category, newLog, grow } = context;
        const consumer = await queues.join(group, { category });
        const log = newLog();
        const [event] = await grow(log);
        const [leased] = await takeAll(consumer, 1);
        // It is under way just now.
        await queues.redrive(group, { log, event: event!, letter: event! });
        await consumer.settle([{ leased: leased!, cursor: event, next: 'done' }]);
        const [again] = await takeAll(consumer, 1);
        const redrive = { event: event!, letter: event!, attempts: 0 };
        assert.deepEqual(again!.redrives, [redrive]);
        const begun = { letter: event!, attempts: 1 };
        await consumer.settle([{ leased: again!, redrive: begun, next: 'again' }]);
        const [third] = await takeAll(consumer, 1);
        assert.deepEqual(third!.redrives, [{ ...redrive, attempts: 1 }]);
        assert.equal(third!.cursor, event);
        const over = { letter: event!, attempts: null };
        await consumer.settle([{ leased: third!, redrive: over, next: 'done' }]);
        assert.deepEqual(await takeNow(consumer), []);
        // And one of a log that rests.
        await queues.redrive(group, { log, event: event!, letter: event! });
        assert.equal((await takeAll(consumer, 1))[0]!.redrives.length, 1);
        await consumer.leave();
      },
    );

    suite.it('starts with the events to come', async (context) => {
      const { log, queues, group, category, newLog, grow, pass } = context;
      const [old, other] = [newLog(), newLog()];
      await grow(old, other);
      const consumer = await queues.join(group, { category, from: 'now' });
      assert.deepEqual(await takeNow(consumer), []);
      await pass(2);
      const [event] = await grow(old);
      const [fresh] = await grow(newLog());
      const taken = await takeAll(consumer, 2);
      for (const { log: name, cursor, unchecked } of taken) {
        const { events } = await log.read(name, { after: cursor, unchecked });
        assert.deepEqual(
          events.map(({ id }) => id),
          [name === old ? event : fresh],
        );
      }
      await consumer.leave();
    });

    suite.it('leaves out other categories, and dead letters', async (context) => {
      const { log, queues, group, category, newLog, grow } = context;
      const mine = newLog();
      const others = [`${category}x:1`, `dead-letter:${category}`].map((name) =>
        parseLogName(name),
      );
      await grow(mine, ...others);
      const consumer = await queues.join(group, { category });
      assert.deepEqual(
        (await takeAll(consumer, 1)).map(({ log }) => log),
        [mine],
      );
      assert.deepEqual(await takeNow(consumer), []);
      const all = await queues.join(`${group}-all`);
      const seen = new Set<LogName>();
      for (let taken = await takeNow(all); taken.length > 0; taken = await takeNow(all)) {
        for (const leased of taken) seen.add(leased.log);
        await all.settle(taken.map((leased) => ({ leased, cursor: leased.told, next: 'done' })));
      }
      assert.ok(seen.has(mine) && seen.has(others[0]!) && !seen.has(others[1]!));
      const letters = await queues.join(`${group}-letters`, { category: 'dead-letter' });
      await growIn(log, others[1]!);
      assert.ok((await takeNow(letters)).some(({ log }) => log === others[1]));
      await Promise.all([consumer, all, letters].map((each) => each.leave()));
    });

    suite.it('refuses what breaks a rule', async ({ queues, group, category }) => {
      await assert.rejects(queues.join('a b'), { code: 'invalid_input', field: 'group' });
      await assert.rejects(queues.join(group, { category: ':' }), { field: 'category' });
      await assert.rejects(queues.join(group, { leaseTime: 1 }), { field: 'leaseTime' });
      await (await queues.join(group, { category })).leave();
      await assert.rejects(queues.join(group, { category: 'other' }), { field: 'category' });
    });

    suite.with(['lasting'], 'goes on where it was', async (context) => {
      const { queues, group, category, newLog, grow, reopen } = context;
      const options = { category, leaseTime: 100 };
      const before = await queues.join(group, options);
      const [done, tried, held, idle] = [newLog(), newLog(), newLog(), newLog()];
      await grow(done, tried, held, idle);
      for (const leased of await takeAll(before, 4)) {
        const { told: event } = leased;
        const attempt = { event, count: 2 };
        if (leased.log === done) await before.settle([{ leased, cursor: event, next: 'done' }]);
        if (leased.log === tried) await before.settle([{ leased, attempt, next: { after: 1 } }]);
        if (leased.log === held) await before.settle([{ leased, attempt, next: 'hold' }]);
      }
      // It does not leave: its process is killed.
      const { queues: again } = await reopen();
      const after = await again.join(group, options);
      await context.pass(101);
      const taken = await takeAll(after, 2);
      assert.deepEqual(taken.map(({ log }) => log).sort(), [tried, idle].sort());
      const byLog = new Map(taken.map((leased) => [leased.log, leased]));
      assert.equal(byLog.get(idle)!.takeovers, 1);
      assert.equal(byLog.get(tried)!.attempt!.count, 2);
      assert.deepEqual(await takeNow(after), []);
      await after.leave();
    });
  });
}
