import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import { type EventId, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { VersionConflict } from '../../../event/store-errors.ts';
import type { EventLog } from '../../../log/log.ts';
import type { LogSuite } from './log-under-test.ts';
import { appendOne, assertHolds, event, readAll, shifted, versionOf } from './say.ts';

const WRITERS = 50;

export function expectedVersionTests(suite: LogSuite): void {
  suite.topic('expected version', () => {
    suite.it('appends when the log is at the expected version', async (test) => {
      const eventLog = await test.open();
      const first = await eventLog.append(test.log, [event('1')], { expected: ZERO_ID });
      const second = await eventLog.append(test.log, [event('2')], { expected: first.version });
      await eventLog.append(test.log, [event('3')], { expected: second.version });
      await assertHolds(eventLog, test.log, ['1', '2', '3']);
    });

    suite.it('refuses any other version, tells the actual one, changes nothing', async (test) => {
      const eventLog = await test.open();
      const first = await appendOne(eventLog, test.log, '1');
      const second = await appendOne(eventLog, test.log, '2');
      for (const expected of [ZERO_ID, first, shifted(second, 1n), shifted(second, -1n)]) {
        const appending = eventLog.append(test.log, [event('late')], { expected });
        await rejects(appending, { code: 'version_conflict', expected, actual: second });
      }
      await assertHolds(eventLog, test.log, ['1', '2']);
      strictEqual(await versionOf(eventLog, test.log), second);
    });

    suite.it('says that a log without events is at 0-0', async (test) => {
      const eventLog = await test.open();
      const expected = '1526919030474-55' as EventId;
      await rejects(eventLog.append(test.log, [event()], { expected }), {
        code: 'version_conflict',
        actual: ZERO_ID,
      });
    });

    suite.it('decides between appends of one turn in their order', async (test) => {
      const eventLog = await test.open();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          eventLog.append(test.log, [event(String(index))], { expected: ZERO_ID }),
        ),
      );
      deepStrictEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', ...Array(9).fill('rejected')],
      );
      await assertHolds(eventLog, test.log, ['0']);
    });

    suite.it('does not care that the log was trimmed', async (test) => {
      const eventLog = await test.open();
      const version = await appendOne(eventLog, test.log);
      await eventLog.trim(test.log, version);
      await rejects(eventLog.append(test.log, [event()], { expected: ZERO_ID }), {
        code: 'version_conflict',
        actual: version,
      });
      await eventLog.append(test.log, [event('after')], { expected: version });
      await assertHolds(eventLog, test.log, ['after']);
    });

    suite.it('has exactly one winner a version among 50 racing writers', async (test) => {
      const eventLog = await test.open();
      await race(Array(WRITERS).fill(eventLog), test.log);
    });

    suite.with(
      ['shared'],
      'has one winner also among writers of several processes',
      async (test) => {
        const eventLogs = await Promise.all(Array.from({ length: 5 }, () => test.open()));
        const writers = Array.from({ length: WRITERS }, (_, index) => eventLogs[index % 5]!);
        await race(writers, test.log);
      },
    );

    suite.it('refuses what is no event ID', async (test) => {
      const eventLog = await test.open();
      for (const expected of ['', '1', '1-', '-1', '1-01', '0-18446744073709551616', '1-1-1']) {
        const appending = eventLog.append(test.log, [event()], { expected: expected as EventId });
        await rejects(appending, { code: 'invalid_event_id', field: 'expected' });
      }
    });
  });
}

/** Every writer reads, decides and appends until it has won once. */
async function race(writers: readonly EventLog[], log: LogName): Promise<void> {
  const decidedOn: EventId[] = [];
  let conflicts = 0;
  await Promise.all(
    writers.map(async (eventLog, writer) => {
      for (;;) {
        const expected = await versionOf(eventLog, log);
        try {
          await eventLog.append(log, [event(String(writer))], { expected });
          decidedOn.push(expected);
          return;
        } catch (error) {
          if (!(error instanceof VersionConflict)) throw error;
          conflicts += 1;
        }
      }
    }),
  );
  strictEqual(decidedOn.length, writers.length);
  strictEqual(new Set(decidedOn).size, writers.length, 'two writers won on the same version');
  strictEqual(conflicts > 0, true, 'nobody raced');

  const { events } = await readAll(writers[0]!, log);
  const inLog = events.map(({ id }) => id);
  deepStrictEqual(new Set(decidedOn), new Set([ZERO_ID, ...inLog.slice(0, -1)]));
  strictEqual(new Set(events.map(({ payload }) => payload)).size, writers.length);
}
