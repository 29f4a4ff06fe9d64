import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ZERO_ID } from '../../../event/event-id.ts';
import { eventually } from '../eventually.ts';
import { FollowingReader } from './following-reader.ts';
import type { LogSuite } from './log-under-test.ts';
import { RecordingFollower } from './recording-follower.ts';
import { appendMany, appendOne, event, idsOf, readAll } from './say.ts';

export function followingTests(suite: LogSuite): void {
  suite.topic('following', () => {
    suite.it('tells each append with the version that was before it', async (test) => {
      const eventLog = await test.open();
      const before = await appendOne(eventLog, test.log);
      const follower = new RecordingFollower();
      await eventLog.follow(test.log, follower);
      const one = await eventLog.append(test.log, [event('one')]);
      const several = await eventLog.append(test.log, [event('a'), event('b'), event('c')]);
      const last = await eventLog.append(test.log, [event('last')]);

      await eventually(() => follower.told.length === 5);
      deepStrictEqual(follower.calls, [
        { previous: before, ids: one.ids },
        { previous: one.version, ids: several.ids },
        { previous: several.version, ids: last.ids },
      ]);
      deepStrictEqual(
        follower.told.map(({ type, payload }) => [type, payload]),
        ['one', 'a', 'b', 'c', 'last'].map((payload) => ['SomethingHappened', payload]),
      );
    });

    suite.it('tells the first event of a log, after 0-0', async (test) => {
      const eventLog = await test.open();
      const follower = new RecordingFollower();
      await eventLog.follow(test.log, follower);
      const { ids } = await eventLog.append(test.log, [event()]);
      await eventually(() => follower.calls.length > 0);
      deepStrictEqual(follower.calls, [{ previous: ZERO_ID, ids }]);
    });

    suite.it('tells nothing of refused and repeated appends', async (test) => {
      const eventLog = await test.open();
      const follower = new RecordingFollower();
      await eventLog.follow(test.log, follower);
      const producer = { id: 'p', epoch: 0, seq: 0 };
      const first = await eventLog.append(test.log, [event('first')], { producer });
      await eventLog.append(test.log, [event('repeat')], { producer });
      await Promise.allSettled([
        eventLog.append(test.log, [event('conflict')], { expected: ZERO_ID }),
        eventLog.append(test.log, [event('gap')], { producer: { ...producer, seq: 2 } }),
      ]);
      const last = await eventLog.append(test.log, [event('last')]);
      await eventually(() => follower.told.length >= 2);
      deepStrictEqual(follower.calls, [
        { previous: ZERO_ID, ids: first.ids },
        { previous: first.version, ids: last.ids },
      ]);
    });

    suite.it('tells the appends of one turn in their order, as a chain', async (test) => {
      const eventLog = await test.open();
      const follower = new RecordingFollower();
      await eventLog.follow(test.log, follower);
      const payloads = Array.from({ length: 300 }, (_, index) => `event ${index}`);
      await Promise.all(payloads.map((payload) => eventLog.append(test.log, [event(payload)])));
      await eventually(() => follower.told.length === payloads.length);
      deepStrictEqual(
        follower.told.map(({ payload }) => payload),
        payloads,
      );
      let previous = ZERO_ID;
      for (const call of follower.calls) {
        strictEqual(call.previous, previous);
        previous = call.ids.at(-1)!;
      }
    });

    suite.it('tells every follower of a log, and no other', async (test) => {
      const eventLog = await test.open();
      const followers = [new RecordingFollower(), new RecordingFollower(), new RecordingFollower()];
      const elsewhere = new RecordingFollower();
      const other = test.newLog();
      await Promise.all(followers.map((follower) => eventLog.follow(test.log, follower)));
      await eventLog.follow(other, elsewhere);
      const ids = await appendMany(eventLog, test.log, 3);
      const otherId = await appendOne(eventLog, other);
      await eventually(() => elsewhere.told.length > 0);
      for (const follower of followers) {
        await eventually(() => follower.told.length === 3);
        deepStrictEqual(
          follower.told.map(({ id }) => id),
          ids,
        );
      }
      deepStrictEqual(elsewhere.calls, [{ previous: ZERO_ID, ids: [otherId] }]);
    });

    suite.it('ends for the one who ends it, and for nobody else', async (test) => {
      const eventLog = await test.open();
      const leaving = new RecordingFollower();
      const staying = new RecordingFollower();
      const unfollow = await eventLog.follow(test.log, leaving);
      await eventLog.follow(test.log, staying);
      await appendOne(eventLog, test.log);
      await eventually(() => leaving.told.length === 1 && staying.told.length === 1);
      unfollow();
      unfollow();
      await appendOne(eventLog, test.log);
      await eventually(() => staying.told.length === 2);
      strictEqual(leaving.told.length, 1);
    });

    suite.it('can be begun again right after it was ended', async (test) => {
      const eventLog = await test.open();
      for (let round = 1; round <= 20; round += 1) {
        const follower = new RecordingFollower();
        const unfollow = await eventLog.follow(test.log, follower);
        const id = await appendOne(eventLog, test.log);
        await eventually(() => follower.told.length === 1);
        deepStrictEqual(follower.calls[0]?.ids, [id]);
        unfollow();
      }
    });

    suite.it('survives that its log is followed and left in one turn', async (test) => {
      const eventLog = await test.open();
      const staying = new RecordingFollower();
      const leaving = eventLog.follow(test.log, new RecordingFollower());
      const leave = leaving.then((unfollow) => unfollow());
      await Promise.all([leave, eventLog.follow(test.log, staying)]);
      await appendOne(eventLog, test.log);
      await eventually(() => staying.told.length === 1);
    });

    suite.it('does not tell one who gave up before it had begun', async (test) => {
      const eventLog = await test.open();
      const [leaving, staying] = [new RecordingFollower(), new RecordingFollower()];
      const giveUp = new AbortController();
      const begun = eventLog.follow(test.log, leaving, giveUp.signal);
      giveUp.abort();
      // A store that needs no time may not have noticed.
      await begun.then(
        (unfollow) => unfollow(),
        (reason) => strictEqual(reason, giveUp.signal.reason),
      );
      await eventLog.follow(test.log, staying);
      await appendOne(eventLog, test.log);
      await eventually(() => staying.told.length === 1);
      strictEqual(leaving.told.length, 0);
    });

    suite.it('counts the same follower as often as it follows', async (test) => {
      const eventLog = await test.open();
      const follower = new RecordingFollower();
      const unfollow = await eventLog.follow(test.log, follower);
      await eventLog.follow(test.log, follower);
      unfollow();
      await appendOne(eventLog, test.log);
      await eventually(() => follower.told.length === 1);
    });

    suite.it('has a follower be told while it appends', async (test) => {
      const eventLog = await test.open();
      const answers: Promise<unknown>[] = [];
      const answering = new RecordingFollower();
      const tell = answering.events.bind(answering);
      answering.events = (previous, events) => {
        tell(previous, events);
        if (answering.told.length < 3) answers.push(appendOne(eventLog, test.log, 'answer'));
      };
      const listening = new RecordingFollower();
      await eventLog.follow(test.log, answering);
      await eventLog.follow(test.log, listening);
      await appendOne(eventLog, test.log, 'question');
      await eventually(() => listening.told.length === 3);
      await Promise.all(answers);
      const { events } = await readAll(eventLog, test.log);
      deepStrictEqual(
        listening.told.map(({ id }) => id),
        events.map(({ id }) => id),
      );
    });

    suite.it('lets a reader keep up with events of any size', async (test) => {
      const eventLog = await test.open();
      const reader = new FollowingReader(eventLog, test.log);
      await eventLog.follow(test.log, reader);
      const sizes = [1, 16_384, 16_385, 40_000, 40_000, 1_048_576, 5, 300_000, 1];
      const appended = await Promise.all(
        sizes.map((size) => eventLog.append(test.log, [event('x'.repeat(size)), event('small')])),
      );
      const ids = appended.flatMap((each) => each.ids);
      await eventually(() => reader.received.length >= ids.length);
      deepStrictEqual(
        reader.received.map(({ id }) => id),
        ids,
      );
      deepStrictEqual(
        reader.received.map(({ payload }) => (payload as string).length),
        sizes.flatMap((size) => [size, 5]),
      );
      strictEqual(reader.failure, undefined);
      deepStrictEqual(reader.standings, []);
    });

    suite.it('misses nothing between following and reading', async (test) => {
      const eventLog = await test.open();
      let writing = true;
      const writer = (async () => {
        while (writing) {
          await nextTurn();
          await appendOne(eventLog, test.log);
        }
      })();
      const readers: FollowingReader[] = [];
      try {
        for (let index = 0; index < 20; index += 1) {
          const reader = new FollowingReader(eventLog, test.log);
          await eventLog.follow(test.log, reader);
          reader.wake();
          readers.push(reader);
        }
      } finally {
        writing = false;
      }
      await writer;
      const ids = idsOf(await readAll(eventLog, test.log));
      for (const reader of readers) {
        await eventually(() => reader.received.length >= ids.length);
        deepStrictEqual(
          reader.received.map(({ id }) => id),
          ids,
        );
      }
    });

    suite.with(['shared'], 'tells what is appended through another event log', async (test) => {
      const [here, there] = await Promise.all([test.open(), test.open()]);
      const follower = new RecordingFollower();
      await here.follow(test.log, follower);
      const first = await there.append(test.log, [event('from there')]);
      const second = await here.append(test.log, [event('from here')]);
      await eventually(() => follower.told.length === 2);
      deepStrictEqual(follower.calls, [
        { previous: ZERO_ID, ids: first.ids },
        { previous: first.version, ids: second.ids },
      ]);
    });

    suite.it('is told about many logs', async (test) => {
      const eventLog = await test.open();
      const logs = Array.from({ length: 200 }, () => test.newLog());
      const followers = logs.map(() => new RecordingFollower());
      await Promise.all(logs.map((log, index) => eventLog.follow(log, followers[index]!)));
      await Promise.all(logs.map((log) => appendOne(eventLog, log, log)));
      for (const [index, follower] of followers.entries()) {
        await eventually(() => follower.told.length > 0);
        strictEqual(follower.told.length, 1);
        ok(follower.told[0]?.payload === logs[index]);
      }
    });
  });
}
