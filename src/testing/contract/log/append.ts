import { deepStrictEqual, notStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import type { NewEvent } from '../../../event/event.ts';
import { ZERO_ID } from '../../../event/event-id.ts';
import type { LogSuite } from './log-under-test.ts';
import { appendOne, assertHolds, assertIncreasing, event, readAll, versionOf } from './say.ts';

export function appendTests(suite: LogSuite): void {
  suite.topic('append', () => {
    suite.it('answers with the ID and the version, and the event is there', async (test) => {
      const eventLog = await test.open();
      const appended = await eventLog.append(test.log, [event('hello', 'Greeted')]);
      strictEqual(appended.ids.length, 1);
      strictEqual(appended.version, appended.ids[0]);
      strictEqual(appended.duplicate, false);
      notStrictEqual(appended.version, ZERO_ID);

      const page = await eventLog.read(test.log);
      strictEqual(page.version, appended.version);
      strictEqual(page.events.length, 1);
      const [stored] = page.events;
      strictEqual(stored?.id, appended.ids[0]);
      strictEqual(stored?.type, 'Greeted');
      strictEqual(stored?.payload, 'hello');
      strictEqual(stored?.meta, undefined);
    });

    suite.it('gives several events IDs in their order', async (test) => {
      const eventLog = await test.open();
      const before = await appendOne(eventLog, test.log, 'before');
      const payloads = Array.from({ length: 20 }, (_, index) => `event ${index}`);
      const { ids, version } = await eventLog.append(
        test.log,
        payloads.map((payload) => event(payload)),
      );
      strictEqual(ids.length, payloads.length);
      assertIncreasing([before, ...ids]);
      strictEqual(version, ids.at(-1));
      await assertHolds(eventLog, test.log, ['before', ...payloads]);
    });

    suite.it('puts nothing between the events of one append', async (test) => {
      const eventLog = await test.open();
      const appended = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          eventLog.append(test.log, Array(1 + (index % 7)).fill(event(String(index)))),
        ),
      );
      const inLog = (await readAll(eventLog, test.log)).events.map(({ id }) => id);
      deepStrictEqual(
        appended.flatMap(({ ids }) => ids),
        inLog,
      );
    });

    suite.it('takes 1,000 events at once and no more', async (test) => {
      const eventLog = await test.open();
      const events = Array.from({ length: 1000 }, (_, index) => event(String(index)));
      const { ids } = await eventLog.append(test.log, events);
      strictEqual(ids.length, 1000);
      assertIncreasing(ids);
      await rejects(eventLog.append(test.log, [...events, event()]), {
        code: 'too_large',
        field: 'events',
      });
      strictEqual((await readAll(eventLog, test.log)).events.length, 1000);
    });

    suite.it(
      'refuses events that break a rule, names the field and changes nothing',
      async (test) => {
        const eventLog = await test.open();
        const good = event();
        const bad: [string, unknown[]][] = [
          ['events', []],
          ['events[0].type', [{ type: '', payload: '' }]],
          ['events[0].type', [{ type: 'x'.repeat(257), payload: '' }]],
          ['events[1].type', [good, { type: 'line\nbreak', payload: '' }]],
          ['events[0].type', [{ payload: 'no type' }]],
          ['events[1].payload', [good, { type: 'NoPayload' }]],
          ['events[0].payload', [{ type: 'LoneSurrogate', payload: '\ud800' }]],
          ['events[0].payload', [{ type: 'NoJson', payload: 1n }]],
          ['events[0].meta', [{ type: 'ArrayMeta', payload: '', meta: [] }]],
        ];
        for (const [field, events] of bad) {
          const appending = eventLog.append(test.log, events as NewEvent[]);
          await rejects(appending, { code: 'invalid_event', field });
        }
        strictEqual(await versionOf(eventLog, test.log), ZERO_ID);
      },
    );

    suite.it('keeps logs apart', async (test) => {
      const eventLog = await test.open();
      const other = test.newLog();
      await eventLog.append(test.log, [event('mine')]);
      await eventLog.append(other, [event('theirs'), event('theirs too')]);
      await assertHolds(eventLog, test.log, ['mine']);
      await assertHolds(eventLog, other, ['theirs', 'theirs too']);
    });

    suite.it('keeps the order of appends that nobody awaits', async (test) => {
      const eventLog = await test.open();
      const payloads = Array.from({ length: 300 }, (_, index) => `event ${index}`);
      const appended = await Promise.all(
        payloads.map((payload) => eventLog.append(test.log, [event(payload)])),
      );
      assertIncreasing(appended.flatMap(({ ids }) => ids));
      await assertHolds(eventLog, test.log, payloads);
    });

    suite.it('keeps that order when the appends are large', async (test) => {
      const eventLog = await test.open();
      const filler = 'x'.repeat(100_000);
      const payloads = Array.from({ length: 40 }, (_, index) =>
        index % 3 === 0 ? `event ${index} ${filler}` : `event ${index}`,
      );
      const appended = await Promise.all(
        payloads.map((payload) => eventLog.append(test.log, [event(payload)])),
      );
      assertIncreasing(appended.flatMap(({ ids }) => ids));
      await assertHolds(eventLog, test.log, payloads);
    });

    suite.it('takes appends to many logs at the same time', async (test) => {
      const eventLog = await test.open();
      const logs = Array.from({ length: 50 }, () => test.newLog());
      const rounds = Array.from({ length: 20 }, (_, round) => `round ${round}`);
      const appended = await Promise.all(
        rounds.flatMap((round) => logs.map((log) => eventLog.append(log, [event(round)]))),
      );
      strictEqual(appended.length, 1000);
      deepStrictEqual(new Set(appended.map(({ duplicate }) => duplicate)), new Set([false]));
      for (const log of logs) await assertHolds(eventLog, log, rounds);
    });

    suite.it('has what it acknowledged after it was closed and opened again', async (test) => {
      const first = await test.open();
      const { version } = await first.append(test.log, [event('kept'), event('kept too')]);
      await first.close();
      const second = await test.open();
      await assertHolds(second, test.log, ['kept', 'kept too']);
      strictEqual(await versionOf(second, test.log), version);
      assertIncreasing([version, await appendOne(second, test.log)]);
    });
  });
}
