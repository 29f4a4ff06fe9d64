import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import type { MillraceError } from '../../../event/error.ts';
import { ZERO_ID } from '../../../event/event-id.ts';
import { eventually } from '../eventually.ts';
import type { LogSuite } from './log-under-test.ts';
import { RecordingFollower } from './recording-follower.ts';
import { appendMany, appendOne, event, payloadsOf, readAll } from './say.ts';

export function closingTests(suite: LogSuite): void {
  suite.topic('closing', () => {
    suite.it('takes no more work', async (test) => {
      const eventLog = await test.open();
      await appendOne(eventLog, test.log);
      await eventLog.close();
      await rejects(eventLog.append(test.log, [event()]), { code: 'closed' });
      await rejects(eventLog.read(test.log), { code: 'closed' });
      await rejects(eventLog.follow(test.log, new RecordingFollower()), { code: 'closed' });
      await rejects(eventLog.trim(test.log, ZERO_ID), { code: 'closed' });
    });

    suite.it('is described for people, before', async (test) => {
      const { store, durability, warnings } = await (await test.open()).describe();
      ok(store.length > 0 && durability.length > 0);
      ok(warnings.every((warning) => typeof warning === 'string'));
    });

    suite.it('can be asked for twice', async (test) => {
      const eventLog = await test.open();
      const append = appendOne(eventLog, test.log);
      await Promise.all([eventLog.close(), eventLog.close()]);
      await append;
      await eventLog.close();
    });

    suite.it('settles what is in flight, and keeps what it acknowledged', async (test) => {
      const first = await test.open();
      await appendMany(first, test.log, 10);
      const payloads = Array.from({ length: 500 }, (_, index) => `event ${index}`);
      const appends = payloads.map((payload) => first.append(test.log, [event(payload)]));
      const others = Promise.allSettled<unknown>([
        first.read(test.log),
        first.trim(test.log, ZERO_ID),
        first.follow(test.log, new RecordingFollower()),
      ]);
      const closing = first.close();
      const outcomes = await Promise.allSettled(appends);
      for (const other of await others) {
        if (other.status === 'rejected') strictEqual(other.reason.code, 'closed');
      }
      await closing;

      const second = await test.open();
      const kept = payloadsOf(await readAll(second, test.log)).slice(10);
      const acknowledged = payloads.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      deepStrictEqual(kept, acknowledged);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') {
          ok(['closed', 'unavailable'].includes((outcome.reason as MillraceError).code));
        }
      }
      // What was handed over before the close is in flight, and nothing keeps it from ending well.
      strictEqual(acknowledged.length, payloads.length);
    });

    suite.it('calls no follower any more', async (test) => {
      const eventLog = await test.open();
      const follower = new RecordingFollower();
      const unfollow = await eventLog.follow(test.log, follower);
      await appendOne(eventLog, test.log);
      await eventLog.close();
      const { length } = follower.told;
      const second = await test.open();
      await appendOne(second, test.log);
      strictEqual(follower.told.length, length);
      unfollow();
    });

    suite.it('wakes who follows a last time, so that they find it closed', async (test) => {
      const eventLog = await test.open();
      await appendOne(eventLog, test.log);
      const found: unknown[] = [];
      const look = (read: () => Promise<unknown>) => {
        read().then(
          () => {},
          (error) => found.push(error.code),
        );
      };
      await eventLog.follow(test.log, {
        events: () => {},
        wake: () => look(() => eventLog.read(test.log)),
        position: () => ZERO_ID,
      });
      await eventLog.followFeed(() => look(() => eventLog.feed()));
      await eventLog.close();
      await eventually(() => found.length >= 2);
      deepStrictEqual(new Set(found), new Set(['closed']));
    });

    suite.with(['lossy'], 'ends within seconds when the store does not answer', async (test) => {
      const eventLog = await test.lossy.open();
      await appendOne(eventLog, test.log, 'before');
      test.lossy.swallowReplies();
      const work = [
        eventLog.append(test.log, [event('unanswered')]),
        eventLog.append(test.newLog(), [event('unanswered')]),
        eventLog.read(test.log),
        eventLog.trim(test.log, ZERO_ID),
      ];
      const codes = Promise.allSettled(work).then((outcomes) =>
        outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'ok')),
      );
      const start = performance.now();
      await eventLog.close();
      ok(performance.now() - start < 10_000, 'closing took more than 10 seconds');
      const [first, second, ...rest] = await codes;
      deepStrictEqual([first, second], ['outcome_unknown', 'outcome_unknown']);
      for (const code of rest) ok(['unavailable', 'closed'].includes(code as string), code);
    });
  });
}
