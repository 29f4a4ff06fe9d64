import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import { type EventId, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { EventLog } from '../../../log/log.ts';
import type { LogSuite } from './log-under-test.ts';
import { appendMany, appendOne, event, idsOf, readAll } from './say.ts';

async function lastOf(eventLog: EventLog, log: LogName, count: number): Promise<EventId[]> {
  const after = await eventLog.before(log, count);
  return idsOf(await readAll(eventLog, log, { after, unchecked: true }));
}

/** Where the last events of a log begin. */
export function beforeTests(suite: LogSuite): void {
  suite.topic('the place before the last events', () => {
    suite.it('is that of the event before them, or 0-0', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 5);
      strictEqual(await eventLog.before(test.log, 1), ids[3]);
      strictEqual(await eventLog.before(test.log, 4), ids[0]);
      strictEqual(await eventLog.before(test.log, 5), ZERO_ID);
      strictEqual(await eventLog.before(test.log, 10_000), ZERO_ID);
    });

    suite.it('is 0-0 of a log that never had an event', async (test) => {
      strictEqual(await (await test.open()).before(test.log, 1), ZERO_ID);
    });

    suite.it('is none in another log', async (test) => {
      const eventLog = await test.open();
      const [before, log, after] = [test.newLog(), test.newLog(), test.newLog()];
      for (const each of [before, log, after]) await appendMany(eventLog, each, 3);
      strictEqual(await eventLog.before(log, 3), ZERO_ID);
    });

    suite.it('counts what is kept', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 6);
      await eventLog.trim(test.log, ids[2]!);
      deepStrictEqual(await lastOf(eventLog, test.log, 2), ids.slice(4));
      deepStrictEqual(await lastOf(eventLog, test.log, 3), ids.slice(3));
      deepStrictEqual(await lastOf(eventLog, test.log, 4), ids.slice(3));
      await eventLog.trim(test.log, ids[5]!);
      deepStrictEqual(await lastOf(eventLog, test.log, 1), []);
      const next = await appendOne(eventLog, test.log);
      deepStrictEqual(await lastOf(eventLog, test.log, 1), [next]);
    });

    suite.with(['foreign'], 'counts what others left', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 6);
      await test.foreign.remove(test.log, ids[1]!, ids[3]!, ids[5]!);
      deepStrictEqual(await lastOf(eventLog, test.log, 2), [ids[2], ids[4]]);
      await test.foreign.drop(test.log);
      strictEqual(await eventLog.before(test.log, 1), ZERO_ID);
    });

    suite.it('may lie far back, over large events', async (test) => {
      const eventLog = await test.open();
      const small = await appendMany(eventLog, test.log, 1_500);
      const large: EventId[] = [];
      for (let number = 0; number < 6; number += 1) {
        const { ids } = await eventLog.append(test.log, [event('x'.repeat(700_000)), event()]);
        large.push(...ids);
      }
      const ids = [...small, ...large];
      for (const count of [1, 7, 11, 12, 13, 600, 1_511]) {
        strictEqual(await eventLog.before(test.log, count), ids.at(-count - 1));
      }
      strictEqual(await eventLog.before(test.log, 1_512), ZERO_ID);
    });

    suite.with(['startAt'], 'is to be had at either end of all IDs', async (test) => {
      const [low, high] = [test.newLog(), test.newLog()];
      await test.startAt(low, '0-1' as EventId);
      await test.startAt(high, '18446744073709551615-18446744073709551614' as EventId);
      const eventLog = await test.open();
      await appendOne(eventLog, low);
      await appendOne(eventLog, high);
      strictEqual(await eventLog.before(low, 1), '0-1');
      strictEqual(await eventLog.before(high, 1), '18446744073709551615-18446744073709551614');
      for (const log of [low, high]) strictEqual(await eventLog.before(log, 2), ZERO_ID);
    });

    suite.it('is asked for with a count from 1 to 10,000', async (test) => {
      const eventLog = await test.open();
      for (const count of [0, -1, 1.5, 10_001, Number.NaN]) {
        await rejects(eventLog.before(test.log, count), { code: 'invalid_input', field: 'count' });
      }
    });

    suite.it('is not to be had any more from a closed log', async (test) => {
      const eventLog = await test.open();
      await eventLog.close();
      await rejects(eventLog.before(test.log, 1), { code: 'closed' });
    });

    suite.with(['occupy'], 'may be in no log: it is said so', async (test) => {
      const eventLog = await test.open();
      await test.occupy(test.log);
      await rejects(eventLog.before(test.log, 1), { code: 'wrong_type' });
    });
  });
}
