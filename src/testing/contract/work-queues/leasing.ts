import assert from 'node:assert/strict';
import { ZERO_ID } from '../../../event/event-id.ts';
import { eventually } from '../eventually.ts';
import { lookAll, takeAll, takeNow, type WorkQueuesSuite } from './work-queues-under-test.ts';

const SHORT = 300;

export function leasingTests(suite: WorkQueuesSuite): void {
  suite.topic('leases', () => {
    suite.it(
      'hands each log to one consumer',
      async ({ queues, group, category, newLog, grow }) => {
        const logs = Array.from({ length: 20 }, newLog);
        await grow(...logs, ...logs);
        const [one, other] = await Promise.all([
          queues.join(group, { category }),
          queues.join(group, { category }),
        ]);
        const mine = await takeAll(one, 12);
        const theirs = await takeAll(other, 8);
        const names = [...mine, ...theirs].map(({ log }) => log);
        assert.deepEqual(names.sort(), [...logs].sort());
        assert.deepEqual(await takeNow(one), []);
        for (const { cursor, unchecked, attempt, redrives, takeovers } of mine) {
          assert.deepEqual(
            { cursor, unchecked, attempt, redrives, takeovers },
            { cursor: ZERO_ID, unchecked: false, attempt: undefined, redrives: [], takeovers: 0 },
          );
        }
        await Promise.all([one.leave(), other.leave()]);
      },
    );

    suite.it('hands a log out again only when it has grown', async (context) => {
      const { queues, group, category, newLog, grow } = context;
      const consumer = await queues.join(group, { category });
      const log = newLog();
      const [first] = await grow(log);
      const [leased] = await takeAll(consumer, 1);
      const done = { leased: leased!, cursor: first, next: 'done' } as const;
      assert.deepEqual(await consumer.settle([done]), [true]);
      assert.deepEqual(await takeNow(consumer), []);
      await grow(log);
      const [again] = await takeAll(consumer, 1);
      assert.equal(again!.cursor, first);
      await consumer.leave();
    });

    suite.it('hands a log out again that has grown meanwhile', async (context) => {
      const { queues, group, category, newLog, grow } = context;
      const consumer = await queues.join(group, { category });
      const log = newLog();
      const [first] = await grow(log);
      const [leased] = await takeAll(consumer, 1);
      const [second] = await grow(log);
      await eventually(async () => {
        await lookAll(consumer);
        return (await consumer.lag()) === 1;
      });
      await consumer.settle([{ leased: leased!, cursor: first, next: 'done' }]);
      const [again] = await takeAll(consumer, 1);
      assert.deepEqual([again!.cursor, again!.told], [first, second]);
      // It had read further than it was told.
      await grow(log);
      const [third] = (await Promise.all([grow(log)]))[0]!;
      await consumer.settle([{ leased: again!, cursor: third, next: 'done' }]);
      assert.deepEqual(await takeNow(consumer), []);
      assert.equal(await consumer.lag(), 0);
      await consumer.leave();
    });

    suite.it('does not hand a log out for what is not there', async (context) => {
      const { queues, group, category, newLog, grow } = context;
      const consumer = await queues.join(group, { category });
      const log = newLog();
      await grow(log);
      const [leased] = await takeAll(consumer, 1);
      // Read, and found nothing.
      await consumer.settle([{ leased: leased!, next: 'done' }]);
      assert.deepEqual(await takeNow(consumer), []);
      await consumer.leave();
    });

    suite.it('waits for work', async ({ queues, group, category, newLog, grow }) => {
      const consumer = await queues.join(group, { category });
      assert.deepEqual(await consumer.take(1, 20), []);
      const taken = consumer.take(1, 1_000);
      await grow(newLog());
      await eventually(async () => {
        await lookAll(consumer);
        return (await consumer.lag()) === 1;
      });
      assert.equal((await taken).length, 1);
      const ending = new AbortController();
      const waiting = consumer.take(1, 1_000, ending.signal);
      ending.abort();
      assert.deepEqual(await waiting, []);
      await consumer.leave();
    });

    suite.it('goes over to another who is alive, and shuts the first out', async (context) => {
      const { queues, group, category, newLog, grow, pass } = context;
      const options = { category, leaseTime: SHORT };
      const [first, second] = [
        await queues.join(group, options),
        await queues.join(group, options),
      ];
      const log = newLog();
      const [event, later] = [...(await grow(log)), ...(await grow(log))];
      const [lost] = await takeAll(first, 1);
      await first.settle([{ leased: lost!, cursor: event, next: 'keep' }]);
      assert.deepEqual(await takeNow(second), []);
      await pass(SHORT + 1);
      const [taken] = await takeAll(second, 1);
      assert.equal(taken!.cursor, event);
      assert.equal(taken!.takeovers, 1);
      const late = { leased: lost!, cursor: later } as const;
      assert.deepEqual(await first.settle([{ ...late, next: 'keep' }]), [false]);
      assert.deepEqual(await first.settle([{ ...late, next: 'done' }]), [false]);
      // Not even after it has come back to the first.
      await pass(SHORT + 1);
      const [back] = await takeAll(first, 1);
      assert.deepEqual([back!.cursor, back!.takeovers], [event, 2]);
      assert.deepEqual(await first.settle([{ ...late, next: 'again' }]), [false]);
      assert.deepEqual(await second.settle([{ leased: taken!, next: 'keep' }]), [false]);
      assert.deepEqual(await first.settle([{ leased: back!, cursor: later, next: 'done' }]), [
        true,
      ]);
      assert.deepEqual(await takeNow(second), []);
      await Promise.all([first.leave(), second.leave()]);
    });

    suite.it('is renewed by whoever lives', async (context) => {
      const { queues, group, category, newLog, grow, pass } = context;
      const options = { category, leaseTime: SHORT };
      const [first, second] = [
        await queues.join(group, options),
        await queues.join(group, options),
      ];
      await grow(newLog());
      const [leased] = await takeAll(first, 1);
      for (let third = 0; third < 6; third++) {
        await pass(SHORT / 3);
        assert.deepEqual(await first.settle([{ leased: leased!, next: 'keep' }]), [true]);
        assert.deepEqual(await takeNow(second), []);
      }
      await Promise.all([first.leave(), second.leave()]);
    });

    suite.it('is given up by whoever leaves, except for what is under way', async (context) => {
      const { queues, group, category, newLog, grow, pass } = context;
      const options = { category, leaseTime: SHORT };
      const [first, second] = [
        await queues.join(group, options),
        await queues.join(group, options),
      ];
      await grow(newLog(), newLog());
      const [given, still] = await takeAll(first, 2);
      await first.leave([still!]);
      const [taken] = await takeAll(second, 1);
      assert.equal(taken!.log, given!.log);
      assert.equal(taken!.takeovers, 0);
      assert.deepEqual(await takeNow(second), []);
      await pass(SHORT + 1);
      assert.equal((await takeAll(second, 1))[0]!.log, still!.log);
      await assert.rejects(first.take(1, 0), { code: 'closed' });
      await second.leave();
    });

    suite.it('can be given back, to the end of the queue', async (context) => {
      const { queues, group, category, newLog, grow } = context;
      const consumer = await queues.join(group, { category });
      await grow(newLog());
      await lookAll(consumer);
      await grow(newLog());
      await eventually(async () => {
        await lookAll(consumer);
        return (await consumer.lag()) === 2;
      });
      const [first] = await takeAll(consumer, 1);
      await consumer.settle([{ leased: first!, next: 'again' }]);
      const [second, third] = await takeAll(consumer, 2);
      assert.notEqual(second!.log, first!.log);
      assert.equal(third!.log, first!.log);
      assert.equal(third!.takeovers, 0);
      await consumer.leave();
    });
  });
}
