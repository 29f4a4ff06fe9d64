import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import type { Appended } from '../../../event/appended.ts';
import type { EventId } from '../../../event/event-id.ts';
import { ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { isProducerId, type Producer } from '../../../event/producer.ts';
import type { AppendOptions, EventLog } from '../../../log/log.ts';
import { eventually } from '../eventually.ts';
import type { LogSuite } from './log-under-test.ts';
import { assertHolds, assertIncreasing, event, onlyId, versionOf } from './say.ts';

/** Appends one event, the text of its epoch and seq. */
function produce(
  eventLog: EventLog,
  log: LogName,
  [epoch, seq]: readonly [epoch: number, seq: number],
  options: AppendOptions & { id?: string } = {},
): Promise<Appended> {
  const { id = 'producer-1', ...rest } = options;
  return eventLog.append(log, [event(`${epoch}/${seq}`)], {
    ...rest,
    producer: { id, epoch, seq },
  });
}

export function producerTests(suite: LogSuite): void {
  suite.topic('producers', () => {
    suite.it(
      'answers a repeat with the IDs of the first time and changes nothing',
      async (test) => {
        const eventLog = await test.open();
        const first = await produce(eventLog, test.log, [0, 0]);
        const second = await produce(eventLog, test.log, [0, 1]);
        strictEqual(first.duplicate, false);
        strictEqual(second.duplicate, false);
        const { version } = await eventLog.append(test.log, [event('of somebody else')]);

        for (const [seq, original] of [first, second].entries()) {
          const repeat = await produce(eventLog, test.log, [0, seq]);
          deepStrictEqual(repeat, { ids: original.ids, version, duplicate: true });
        }
        await assertHolds(eventLog, test.log, ['0/0', '0/1', 'of somebody else']);
        await produce(eventLog, test.log, [0, 2]);
      },
    );

    suite.it('answers a repeat of several events with all their IDs', async (test) => {
      const eventLog = await test.open();
      const producer = { id: 'producer-1', epoch: 0, seq: 0 };
      const events = [event('a'), event('b'), event('c')];
      const { ids } = await eventLog.append(test.log, events, { producer });
      const repeat = await eventLog.append(test.log, [event('other content')], { producer });
      deepStrictEqual(repeat.ids, ids);
      await assertHolds(eventLog, test.log, ['a', 'b', 'c']);
    });

    suite.it('answers the repeat of a large append with all its IDs', async (test) => {
      const eventLog = await test.open();
      const events = Array.from({ length: 1000 }, () => event('x'.repeat(200)));
      // Long enough for the clock to move on in the middle of one of them.
      for (let seq = 0; seq < 8; seq += 1) {
        const producer = { id: 'producer-1', epoch: 0, seq };
        const { ids } = await eventLog.append(test.log, events, { producer });
        const repeat = await eventLog.append(test.log, events, { producer });
        deepStrictEqual(repeat.ids, ids);
      }
    });

    suite.it('sees the repeat also when both were made in one turn', async (test) => {
      const eventLog = await test.open();
      const [first, repeat, next] = await Promise.all([
        produce(eventLog, test.log, [0, 0]),
        produce(eventLog, test.log, [0, 0]),
        produce(eventLog, test.log, [0, 1]),
      ]);
      deepStrictEqual(
        [first, repeat, next].map(({ duplicate }) => duplicate),
        [false, true, false],
      );
      deepStrictEqual(repeat.ids, first.ids);
      await assertHolds(eventLog, test.log, ['0/0', '0/1']);
    });

    suite.it('takes a chain of appends that nobody awaits', async (test) => {
      const eventLog = await test.open();
      const appended = await Promise.all(
        Array.from({ length: 200 }, (_, seq) => produce(eventLog, test.log, [0, seq])),
      );
      assertIncreasing(appended.map(onlyId));
    });

    suite.it('refuses a skipped seq, tells the expected one, and uses up nothing', async (test) => {
      const eventLog = await test.open();
      await rejects(produce(eventLog, test.log, [0, 1]), { code: 'producer_gap', expectedSeq: 0 });
      strictEqual(await versionOf(eventLog, test.log), ZERO_ID);
      await produce(eventLog, test.log, [0, 0]);
      await rejects(produce(eventLog, test.log, [0, 2]), { code: 'producer_gap', expectedSeq: 1 });
      await produce(eventLog, test.log, [0, 1]);
      await assertHolds(eventLog, test.log, ['0/0', '0/1']);
    });

    suite.it('fences off older epochs', async (test) => {
      const eventLog = await test.open();
      await produce(eventLog, test.log, [3, 0]);
      await produce(eventLog, test.log, [5, 0]);
      for (const seq of [0, 1, 2]) {
        await rejects(produce(eventLog, test.log, [3, seq]), {
          code: 'producer_fenced',
          currentEpoch: 5,
        });
      }
      await assertHolds(eventLog, test.log, ['3/0', '5/0']);
    });

    suite.it('starts a new epoch at seq 0; a refused start fences nobody off', async (test) => {
      const eventLog = await test.open();
      await produce(eventLog, test.log, [0, 0]);
      await rejects(produce(eventLog, test.log, [1, 1]), { code: 'producer_gap', expectedSeq: 0 });
      await produce(eventLog, test.log, [0, 1]);
      const renewed = await produce(eventLog, test.log, [1, 0]);
      const repeat = await produce(eventLog, test.log, [1, 0]);
      deepStrictEqual(repeat.ids, renewed.ids);
      await assertHolds(eventLog, test.log, ['0/0', '0/1', '1/0']);
    });

    suite.it('uses up nothing when the version is in conflict', async (test) => {
      const eventLog = await test.open();
      const { version } = await produce(eventLog, test.log, [0, 0]);
      const stale = { expected: ZERO_ID };
      await rejects(produce(eventLog, test.log, [0, 1], stale), { code: 'version_conflict' });
      const next = await produce(eventLog, test.log, [0, 1], { expected: version });
      strictEqual(next.duplicate, false);

      // Nor does a conflict let a new epoch begin.
      await rejects(produce(eventLog, test.log, [1, 0], stale), { code: 'version_conflict' });
      await produce(eventLog, test.log, [0, 2]);
      await assertHolds(eventLog, test.log, ['0/0', '0/1', '0/2']);
    });

    suite.it('looks at the producer before the version', async (test) => {
      const eventLog = await test.open();
      const stale = { expected: '1-1' as EventId };
      const first = await produce(eventLog, test.log, [1, 0], { expected: ZERO_ID });
      const repeat = await produce(eventLog, test.log, [1, 0], { expected: ZERO_ID });
      deepStrictEqual(repeat, { ...first, duplicate: true });
      await rejects(produce(eventLog, test.log, [1, 5], stale), { code: 'producer_gap' });
      await rejects(produce(eventLog, test.log, [0, 0], stale), { code: 'producer_fenced' });
    });

    suite.it('remembers the IDs of the last 16 appends, and the seq of all', async (test) => {
      const eventLog = await test.open();
      const originals: Appended[] = [];
      for (let seq = 0; seq < 20; seq += 1) {
        originals.push(await produce(eventLog, test.log, [0, seq]));
      }
      const version = originals.at(-1)!.version;
      for (const [seq, { ids }] of originals.entries()) {
        const repeat = await produce(eventLog, test.log, [0, seq]);
        deepStrictEqual(repeat, { ids: seq < 4 ? [] : ids, version, duplicate: true });
      }
    });

    suite.it('knows the IDs of a repeat although the events were trimmed', async (test) => {
      const eventLog = await test.open();
      const { ids, version } = await produce(eventLog, test.log, [0, 0]);
      await eventLog.trim(test.log, version);
      const repeat = await produce(eventLog, test.log, [0, 0]);
      deepStrictEqual(repeat, { ids, version, duplicate: true });
    });

    suite.it('counts for each log and each producer by itself', async (test) => {
      const eventLog = await test.open();
      const other = test.newLog();
      await produce(eventLog, test.log, [4, 0]);
      await produce(eventLog, test.log, [0, 0], { id: 'producer:2' });
      await produce(eventLog, test.log, [0, 1], { id: 'producer:2' });
      await produce(eventLog, other, [0, 0]);
      await assertHolds(eventLog, test.log, ['4/0', '0/0', '0/1']);
      await assertHolds(eventLog, other, ['0/0']);
    });

    suite.it('remembers producers after it was closed and opened again', async (test) => {
      const before = await test.open();
      const { ids } = await produce(before, test.log, [2, 0]);
      await before.close();
      const after = await test.open();
      deepStrictEqual((await produce(after, test.log, [2, 0])).ids, ids);
      await rejects(produce(after, test.log, [1, 0]), { code: 'producer_fenced' });
      await produce(after, test.log, [2, 1]);
    });

    suite.it('forgets a producer that was idle for long enough', async (test) => {
      const eventLog = await test.open({ producerIdle: 100 });
      await produce(eventLog, test.log, [7, 0]);
      await produce(eventLog, test.log, [7, 1]);
      // Asking with an older epoch is refused for as long as it is remembered, and keeps nothing alive.
      await eventually(() => produce(eventLog, test.log, [3, 0]));
      await rejects(produce(eventLog, test.log, [3, 2]), { code: 'producer_gap', expectedSeq: 1 });
      const repeat = await produce(eventLog, test.log, [3, 0]);
      strictEqual(repeat.duplicate, true);
    });

    suite.with(['clock'], 'forgets it after 7 days if nothing else is said', async (test) => {
      let now = 1_700_000_000_000;
      const eventLog = await test.open({ clock: () => now });
      const days = 24 * 60 * 60 * 1000;
      await produce(eventLog, test.log, [0, 0]);
      now += 7 * days - 1000;
      strictEqual((await produce(eventLog, test.log, [0, 0])).duplicate, true);
      await produce(eventLog, test.log, [0, 1]);
      now += 7 * days - 1000;
      strictEqual((await produce(eventLog, test.log, [0, 1])).duplicate, true);
      now += 2000;
      await rejects(produce(eventLog, test.log, [0, 2]), { code: 'producer_gap', expectedSeq: 0 });
      strictEqual((await produce(eventLog, test.log, [0, 0])).duplicate, false);
    });

    suite.it('is exact up to the greatest epoch', async (test) => {
      const eventLog = await test.open();
      const epoch = Number.MAX_SAFE_INTEGER;
      const { ids } = await produce(eventLog, test.log, [epoch, 0]);
      deepStrictEqual((await produce(eventLog, test.log, [epoch, 0])).ids, ids);
      await rejects(produce(eventLog, test.log, [epoch - 1, 0]), {
        code: 'producer_fenced',
        currentEpoch: epoch,
      });
      await rejects(produce(eventLog, test.log, [epoch, Number.MAX_SAFE_INTEGER]), {
        code: 'producer_gap',
        expectedSeq: 1,
      });
    });

    suite.it('takes any ID that the rule allows', async (test) => {
      const eventLog = await test.open();
      for (const id of ['a', '0', '__proto__', 'a.b_c:d-e', 'x'.repeat(128)]) {
        const { ids } = await produce(eventLog, test.log, [0, 0], { id });
        deepStrictEqual((await produce(eventLog, test.log, [0, 0], { id })).ids, ids);
      }
    });

    suite.it('takes each allowed character alone for an ID', async (test) => {
      const eventLog = await test.open();
      const ids = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));
      const allowed = ids.filter(isProducerId);
      deepStrictEqual(allowed.length, 26 + 26 + 10 + '._:-'.length);
      const firsts = await Promise.all(
        allowed.map((id) => produce(eventLog, test.log, [0, 0], { id })),
      );
      const { version } = firsts.at(-1)!;
      for (const [index, id] of allowed.entries()) {
        const repeat = await produce(eventLog, test.log, [0, 0], { id });
        deepStrictEqual(repeat, { ids: firsts[index]!.ids, version, duplicate: true }, id);
        await rejects(produce(eventLog, test.log, [0, 2], { id }), { code: 'producer_gap' }, id);
        // Also with what an append can have beside a producer.
        const options = { id, expected: ZERO_ID };
        deepStrictEqual(await produce(eventLog, test.log, [0, 0], options), repeat, id);
      }
    });

    suite.it('refuses a producer that breaks a rule and names the field', async (test) => {
      const eventLog = await test.open();
      const good: Producer = { id: 'p', epoch: 0, seq: 0 };
      const bad: [string, unknown][] = [
        ['producer', 'p'],
        ['producer.id', { ...good, id: '' }],
        ['producer.id', { ...good, id: 'two words' }],
        ['producer.id', { ...good, id: 'x'.repeat(129) }],
        ['producer.epoch', { ...good, epoch: -1 }],
        ['producer.epoch', { ...good, epoch: 0.5 }],
        ['producer.seq', { ...good, seq: Number.NaN }],
        ['producer.seq', { ...good, seq: 2 ** 53 }],
        ['producer.seq', { id: 'p', epoch: 0 }],
      ];
      for (const [field, producer] of bad) {
        const options = { producer: producer as Producer };
        await rejects(eventLog.append(test.log, [event()], options), {
          code: 'invalid_input',
          field,
        });
      }
      strictEqual(await versionOf(eventLog, test.log), ZERO_ID);
    });
  });
}
