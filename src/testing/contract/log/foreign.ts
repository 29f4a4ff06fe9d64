import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import { type EventId, predecessorOf, ZERO_ID } from '../../../event/event-id.ts';
import { eventually } from '../eventually.ts';
import { FollowingReader } from './following-reader.ts';
import type { LogSuite } from './log-under-test.ts';
import {
  appendMany,
  appendOne,
  assertHolds,
  event,
  idsOf,
  readAll,
  shifted,
  versionOf,
} from './say.ts';

const WHOLE = { state: 'whole' };

/** Somebody else writes to the same store with its own tools. */
export function foreignTests(suite: LogSuite): void {
  suite.topic('an event that somebody else added', () => {
    suite.with(['foreign'], 'is an event like ours', async (test) => {
      const eventLog = await test.open();
      const { foreign, log } = test;
      const first = await foreign.add(log, ['type', 'T', 'payload', 'theirs']);
      strictEqual(await versionOf(eventLog, log), first);
      await rejects(eventLog.append(log, [event()], { expected: ZERO_ID }), {
        code: 'version_conflict',
        actual: first,
      });
      const second = await eventLog.append(log, [event('ours')], { expected: first });
      const third = await foreign.add(log, ['payload', 'theirs again', 'type', 'T']);
      const page = await eventLog.read(log);
      deepStrictEqual(idsOf(page), [first, second.version, third]);
      deepStrictEqual(
        page.events.map(({ type, payload }) => [type, payload]),
        [
          ['T', 'theirs'],
          ['SomethingHappened', 'ours'],
          ['T', 'theirs again'],
        ],
      );
    });

    suite.with(['foreign'], 'counts in the version although it was removed again', async (test) => {
      const eventLog = await test.open();
      const { foreign, log } = test;
      const first = await appendOne(eventLog, log, 'first');
      const removed = await foreign.add(log, ['type', 'T', 'payload', 'theirs']);
      await foreign.remove(log, removed);
      strictEqual(await versionOf(eventLog, log), removed);
      await rejects(eventLog.append(log, [event()], { expected: first }), {
        code: 'version_conflict',
        actual: removed,
      });
      await eventLog.append(log, [event('second')], { expected: removed });
      await assertHolds(eventLog, log, ['first', 'second']);
    });

    suite.with(['foreign'], 'reaches followers', async (test) => {
      const eventLog = await test.open();
      const { foreign, log } = test;
      const reader = new FollowingReader(eventLog, log);
      await eventLog.follow(log, reader);
      const ids: EventId[] = [];
      for (let round = 0; round < 3; round += 1) {
        ids.push(await foreign.add(log, ['type', 'T', 'payload', 'theirs']));
        await eventually(() => reader.received.length === ids.length);
        ids.push(await appendOne(eventLog, log));
        ids.push(await foreign.add(log, ['type', 'T', 'payload', 'theirs']));
        ids.push(await appendOne(eventLog, log));
        await eventually(() => reader.received.length === ids.length);
      }
      deepStrictEqual(
        reader.received.map(({ id }) => id),
        ids,
      );
      deepStrictEqual(reader.standings, []);
    });

    const broken: [
      what: string,
      fields: (string | Uint8Array)[],
      type: string,
      payload: unknown,
    ][] = [
      ['JSON that is none', ['type', 'T', 'payload', '{broken', 'codec', 'json'], 'T', '{broken'],
      ['empty JSON', ['type', 'T', 'payload', '', 'codec', 'json'], 'T', ''],
      ['JSON', ['type', 'T', 'payload', ' {"a" : 1}\n', 'codec', 'json'], 'T', { a: 1 }],
      ['a codec nobody knows', ['type', 'T', 'payload', 'x', 'codec', 'zip'], 'T', 'x'],
      ['meta that is none', ['type', 'T', 'payload', 'x', 'meta', '{'], 'T', 'x'],
      ['meta that is no object', ['type', 'T', 'payload', 'x', 'meta', '[1]'], 'T', 'x'],
      ['fields nobody knows', ['type', 'T', 'payload', 'x', 'more', 'y'], 'T', 'x'],
      ['no type', ['payload', 'x'], 'unknown', { payload: 'x' }],
      ['no payload', ['type', 'T'], 'unknown', { type: 'T' }],
      [
        'neither',
        ['temperature', '21', 'unit', '°C'],
        'unknown',
        { temperature: '21', unit: '°C' },
      ],
      [
        'line breaks everywhere',
        ['type', 'T', 'payload', '\n\r\n\0', 'x\ny', '\n'],
        'T',
        '\n\r\n\0',
      ],
      [
        'bytes that are no UTF-8',
        ['type', 'T', 'payload', Uint8Array.of(0x61, 0xff, 0x62)],
        'T',
        'a\ufffdb',
      ],
      [
        'bytes that are meant as such',
        ['type', 'T', 'payload', Uint8Array.of(0x61, 0xff), 'codec', 'bytes'],
        'T',
        Uint8Array.of(0x61, 0xff),
      ],
    ];
    for (const [what, fields, type, payload] of broken) {
      suite.with(['foreign'], `may hold ${what}`, async (test) => {
        const eventLog = await test.open();
        const reader = new FollowingReader(eventLog, test.log);
        await eventLog.follow(test.log, reader);
        await test.foreign.add(test.log, fields);
        const last = await appendOne(eventLog, test.log, 'the next one');

        const [stored] = (await eventLog.read(test.log)).events;
        strictEqual(stored?.type, type);
        deepStrictEqual(stored?.payload, payload);
        strictEqual(stored?.meta, undefined);
        strictEqual(stored?.metaJson, undefined);
        JSON.parse(stored.payloadJson);
        await eventually(() => reader.received.at(-1)?.id === last);
        deepStrictEqual(reader.received[0]?.payload, payload);
      });
    }

    suite.with(['foreign'], 'may have names that are special in JavaScript', async (test) => {
      const eventLog = await test.open();
      await test.foreign.add(test.log, ['__proto__', '{"a":1}', 'constructor', 'x']);
      const [stored] = (await eventLog.read(test.log)).events;
      strictEqual(stored?.type, 'unknown');
      strictEqual(Object.hasOwn(stored.payload as object, '__proto__'), true);
    });
  });

  suite.topic('a trim by somebody else', () => {
    suite.with(['foreign'], 'is told to who was below the first kept event', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 8);
      await test.foreign.trim(test.log, 3);
      for (const after of [ZERO_ID, ids[0], ids[3]]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: predecessorOf(ids[5]!) });
        deepStrictEqual(idsOf(page), ids.slice(5));
      }
      for (const after of [ids[4], ids[5], ids[7]]) {
        deepStrictEqual((await eventLog.read(test.log, { after })).standing, WHOLE);
      }
    });

    suite.with(['foreign'], 'of everything keeps the version', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 4);
      await test.foreign.trim(test.log, 0);
      const below = await eventLog.read(test.log, { after: ids[1] });
      deepStrictEqual(below, {
        events: [],
        more: false,
        version: ids[3],
        standing: { state: 'trimmed', resumeAfter: ids[3] },
      });
      deepStrictEqual((await eventLog.read(test.log, { after: ids[3] })).standing, WHOLE);
      const next = await eventLog.append(test.log, [event('next')], { expected: ids[3] });
      const page = await eventLog.read(test.log, { after: ids[3] });
      deepStrictEqual(page.standing, WHOLE);
      deepStrictEqual(idsOf(page), next.ids);
    });

    suite.with(['foreign'], 'goes together with ours', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 8);
      await eventLog.trim(test.log, ids[1]!);
      await test.foreign.trim(test.log, 3);
      for (const after of [ids[1], ids[3]]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, { state: 'trimmed', resumeAfter: predecessorOf(ids[5]!) });
        deepStrictEqual(idsOf(page), ids.slice(5));
      }

      await eventLog.trim(test.log, ids[6]!);
      const later = await eventLog.read(test.log, { after: ids[3] });
      deepStrictEqual(later.standing, { state: 'trimmed', resumeAfter: ids[6] });
      await assertHolds(eventLog, test.log, ['7']);
    });

    suite.with(['foreign'], 'is not seen in one that came before ours', async (test) => {
      const eventLog = await test.open();
      const [ids, rest] = [await appendMany(eventLog, test.log, 8), [] as EventId[]];
      await eventually(() => Date.now() > Number(ids[7]!.split('-')[0]) + 3);
      rest.push(...(await appendMany(eventLog, test.log, 2)));
      await test.foreign.trim(test.log, 7);
      await eventLog.trim(test.log, ids[7]!);
      const page = await eventLog.read(test.log, { after: ids[7] });
      deepStrictEqual(page.standing, WHOLE);
      deepStrictEqual(idsOf(page), rest);
    });

    suite.with(['foreign'], 'does not hide that the tail was lost', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 5);
      await test.foreign.trim(test.log, 2);
      for (const after of [shifted(ids[4]!, 1n), shifted(ids[4]!, 10_000n)]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, { state: 'reset', version: ids[4] });
        deepStrictEqual(idsOf(page), ids.slice(3));
      }
    });
  });

  suite.topic('a deletion by somebody else', () => {
    suite.with(['foreign'], 'of events in between is not told', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 6);
      await test.foreign.remove(test.log, ids[2]!, ids[3]!);
      const kept = [ids[0], ids[1], ids[4], ids[5]] as EventId[];
      deepStrictEqual(idsOf(await readAll(eventLog, test.log)), kept);
      for (const [after, rest] of [
        [ZERO_ID, kept],
        [ids[1], kept.slice(2)],
        [ids[2], kept.slice(2)],
        [ids[3], kept.slice(2)],
        [ids[4], kept.slice(3)],
      ] as [EventId, EventId[]][]) {
        const page = await eventLog.read(test.log, { after });
        deepStrictEqual(page.standing, WHOLE);
        deepStrictEqual(idsOf(page), rest);
      }
    });

    suite.with(['foreign'], 'of the first or the last event is not told either', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 4);
      await test.foreign.remove(test.log, ids[0]!, ids[3]!);
      for (const after of [ZERO_ID, ...ids]) {
        deepStrictEqual((await eventLog.read(test.log, { after })).standing, WHOLE);
      }
      strictEqual(await versionOf(eventLog, test.log), ids[3]);
      const next = await eventLog.append(test.log, [event('next')], { expected: ids[3] });
      deepStrictEqual(idsOf(await eventLog.read(test.log, { after: ids[3] })), next.ids);
    });

    suite.with(['foreign'], 'explains no absence above the greatest deleted ID', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      await eventually(() => Date.now() > Number(ids[2]!.split('-')[0]) + 3);
      const last = await appendOne(eventLog, test.log);
      await test.foreign.remove(test.log, ids[1]!);
      const page = await eventLog.read(test.log, { after: predecessorOf(last) });
      deepStrictEqual(page.standing, { state: 'reset', version: last });
      deepStrictEqual(idsOf(page), [ids[0], ids[2], last]);
    });
  });

  suite.topic('a log that somebody else', () => {
    suite.with(['foreign'], 'removed is a reset for who follows it', async (test) => {
      const eventLog = await test.open();
      await appendMany(eventLog, test.log, 3);
      const reader = new FollowingReader(eventLog, test.log);
      await eventLog.follow(test.log, reader);
      await eventually(() => reader.received.length === 3);
      await test.foreign.drop(test.log);
      await eventually(() => reader.standings.length > 0);
      deepStrictEqual(reader.standings, [{ state: 'reset', version: ZERO_ID }]);

      const next = await appendOne(eventLog, test.log, 'afresh');
      await eventually(() => reader.received.length === 4);
      strictEqual(reader.position(), next);
      strictEqual(reader.standings.length, 1);
    });

    suite.with(
      ['foreign'],
      'replaced by an older one is a reset for who follows it',
      async (test) => {
        const eventLog = await test.open();
        const kept = await appendMany(eventLog, test.log, 2);
        const putBack = await test.foreign.copy(test.log);
        await appendMany(eventLog, test.log, 2);
        const reader = new FollowingReader(eventLog, test.log);
        await eventLog.follow(test.log, reader);
        await eventually(() => reader.received.length === 4);
        await putBack();
        await eventually(() => reader.received.length === 6);
        deepStrictEqual(reader.standings, [{ state: 'reset', version: kept[1] }]);
        strictEqual(reader.position(), kept[1]);
      },
    );

    suite.with(['foreign'], 'emptied tells nothing to who has seen all of it', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      const reader = new FollowingReader(eventLog, test.log);
      await eventLog.follow(test.log, reader);
      await eventually(() => reader.received.length === 3);
      await test.foreign.remove(test.log, ids[2]!);
      await test.foreign.trim(test.log, 0);
      const next = await test.foreign.add(test.log, ['type', 'T', 'payload', 'next']);
      await eventually(() => reader.position() === next);
      deepStrictEqual(reader.standings, []);
    });
  });
}
