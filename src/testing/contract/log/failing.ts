import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import type { Appended } from '../../../event/appended.ts';
import { MAX_ID, ZERO_ID } from '../../../event/event-id.ts';
import { eventually } from '../eventually.ts';
import { FollowingReader } from './following-reader.ts';
import type { LogSuite, LossyLog } from './log-under-test.ts';
import { appendOne, assertHolds, event, readAll } from './say.ts';

export function failingTests(suite: LogSuite): void {
  suite.topic('a batch', () => {
    suite.with(['occupy', 'startAt'], 'has one append fail alone', async (test) => {
      const occupied = test.newLog();
      const full = test.newLog();
      await test.startAt(full, MAX_ID);
      await test.occupy(occupied);
      const eventLog = await test.open();
      const [first, second, third] = [test.newLog(), test.newLog(), test.newLog()] as const;
      const producer = { id: 'p', epoch: 0, seq: 0 };
      const late = { id: 'p', epoch: 0, seq: 5 };
      const appends: [string, Promise<Appended>][] = [
        ['ok', eventLog.append(first, [event('1')])],
        ['wrong_type', eventLog.append(occupied, [event('2')])],
        ['ok', eventLog.append(second, [event('3'), event('4')], { producer })],
        ['log_full', eventLog.append(full, [event('5')], { producer })],
        ['ok', eventLog.append(first, [event('6')])],
        ['version_conflict', eventLog.append(second, [event('7')], { expected: ZERO_ID })],
        ['producer_gap', eventLog.append(third, [event('8')], { producer: late })],
        ['wrong_type', eventLog.append(occupied, [event('9')], { producer, expected: ZERO_ID })],
        ['ok', eventLog.append(third, [event('10')], { producer, expected: ZERO_ID })],
      ];
      const outcomes = await Promise.allSettled(appends.map(([, append]) => append));
      deepStrictEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : outcome.reason.code)),
        appends.map(([expected]) => expected),
      );
      await assertHolds(eventLog, first, ['1', '6']);
      await assertHolds(eventLog, second, ['3', '4']);
      await assertHolds(eventLog, third, ['10']);
    });

    suite.with(
      ['occupy'],
      'is not needed: reads and trims of what is no log fail too',
      async (test) => {
        await test.occupy(test.log);
        const eventLog = await test.open();
        await rejects(eventLog.read(test.log), { code: 'wrong_type' });
        await rejects(eventLog.read(test.log, { reverse: true }), { code: 'wrong_type' });
        await rejects(eventLog.trim(test.log, MAX_ID), { code: 'wrong_type' });
        await rejects(eventLog.append(test.log, [event()]), { code: 'wrong_type' });
      },
    );
  });

  suite.topic('a reply that is lost', () => {
    suite.with(
      ['lossy'],
      'leaves the outcome unknown, and the repeat is a duplicate',
      async (test) => {
        const eventLog = await test.lossy.open();
        const producer = { id: 'p', epoch: 0, seq: 0 };
        await eventLog.append(test.log, [event('before')], { producer });
        const next = { producer: { ...producer, seq: 1 } };
        const events = [event('a'), event('b')];
        await loseTheReply(test.lossy, eventLog.append(test.log, events, next));

        const repeat = await eventually(() => eventLog.append(test.log, events, next));
        strictEqual(repeat.duplicate, true);
        const stored = (await readAll(eventLog, test.log)).events;
        deepStrictEqual(
          stored.map(({ payload }) => payload),
          ['before', 'a', 'b'],
        );
        deepStrictEqual(
          repeat.ids,
          stored.slice(1).map(({ id }) => id),
        );
        const after = { producer: { ...producer, seq: 2 } };
        strictEqual((await eventLog.append(test.log, [event('c')], after)).duplicate, false);
      },
    );

    suite.with(['lossy'], 'is never repeated by the store itself', async (test) => {
      const eventLog = await test.lossy.open();
      await appendOne(eventLog, test.log, 'before');
      for (const payload of ['once', 'again']) {
        await loseTheReply(test.lossy, eventLog.append(test.log, [event(payload)]));
        // Once this one is through, so would be whatever was sent before it.
        await eventually(() => appendOne(eventLog, test.log, 'after'));
      }
      await assertHolds(eventLog, test.log, ['before', 'once', 'after', 'again', 'after']);
    });

    suite.with(['lossy'], 'leaves every append of a batch unknown', async (test) => {
      const eventLog = await test.lossy.open();
      await appendOne(eventLog, test.log, 'before');
      const logs = Array.from({ length: 10 }, () => test.newLog());
      const appends = logs.map((log) => eventLog.append(log, [event('in the batch')]));
      await loseTheReply(test.lossy, ...appends);
      await eventually(() => appendOne(eventLog, test.log, 'after'));
      for (const log of logs) await assertHolds(eventLog, log, ['in the batch']);
    });

    suite.with(['lossy'], 'does not cost a follower an event', async (test) => {
      const eventLog = await test.lossy.open();
      await appendOne(eventLog, test.log, 'before');
      const reader = new FollowingReader(eventLog, test.log);
      await eventLog.follow(test.log, reader);
      reader.wake();
      await loseTheReply(test.lossy, eventLog.append(test.log, [event('unknown')]));
      await eventually(() => reader.received.length === 2);
      await eventually(() => appendOne(eventLog, test.log, 'after'));
      await eventually(() => reader.received.length === 3);
      deepStrictEqual(
        reader.received.map(({ payload }) => payload),
        ['before', 'unknown', 'after'],
      );
    });
  });
}

/** Has the store serve the appends, which were made in one turn, and loses what it says. */
async function loseTheReply(lossy: LossyLog, ...appends: Promise<Appended>[]): Promise<void> {
  // Appends leave with the next turn of the event loop, so this is in time for their reply.
  lossy.swallowReplies();
  const outcomes = appends.map((append) => rejects(append, { code: 'outcome_unknown' }));
  await eventually(() => lossy.hasSwallowed());
  lossy.cut();
  lossy.heal();
  await Promise.all(outcomes);
}
