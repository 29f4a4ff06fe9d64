import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EventId, isAfter, ZERO_ID } from '../../../event/event-id.ts';
import type { Page, ReadOptions } from '../../../log/log.ts';
import type { LogSuite } from './log-under-test.ts';
import { appendMany, event, idsOf, payloadsOf } from './say.ts';

const WHOLE = { state: 'whole' };

export function readingTests(suite: LogSuite): void {
  suite.topic('reading', () => {
    suite.it('finds a log that never had an event empty', async (test) => {
      const eventLog = await test.open();
      const empty = { events: [], more: false, version: ZERO_ID, standing: WHOLE };
      deepStrictEqual(await eventLog.read(test.log), empty);
      deepStrictEqual(await eventLog.read(test.log, { reverse: true }), empty);
    });

    suite.it('gives the events after one and before another', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 10);
      const read = async (options: ReadOptions) => idsOf(await eventLog.read(test.log, options));
      deepStrictEqual(await read({}), ids);
      deepStrictEqual(await read({ after: ids[3] }), ids.slice(4));
      deepStrictEqual(await read({ before: ids[3] }), ids.slice(0, 3));
      deepStrictEqual(await read({ after: ids[2], before: ids[6] }), ids.slice(3, 6));
      deepStrictEqual(await read({ after: ids[9] }), []);
      deepStrictEqual(await read({ after: ids[6], before: ids[7] }), []);
      deepStrictEqual(await read({ after: ids[7], before: ids[2] }), []);
      deepStrictEqual(await read({ before: ids[0] }), []);
    });

    suite.it('gives the newest first when asked to', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 10);
      const read = async (options: ReadOptions) =>
        idsOf(await eventLog.read(test.log, { ...options, reverse: true }));
      const newestFirst = ids.toReversed();
      deepStrictEqual(await read({}), newestFirst);
      deepStrictEqual(await read({ limit: 3 }), newestFirst.slice(0, 3));
      deepStrictEqual(await read({ before: ids[7], limit: 2 }), [ids[6], ids[5]]);
      deepStrictEqual(await read({ after: ids[7] }), [ids[9], ids[8]]);
      deepStrictEqual(await read({ after: ids[2], before: ids[5] }), [ids[4], ids[3]]);
    });

    suite.it('tells the version alone for a limit of 0', async (test) => {
      const eventLog = await test.open();
      const ids = await appendMany(eventLog, test.log, 3);
      for (const reverse of [false, true]) {
        const page = await eventLog.read(test.log, { limit: 0, reverse });
        deepStrictEqual(page.events, []);
        strictEqual(page.version, ids[2]);
      }
    });

    suite.it('gives 100 events if nothing else is said', async (test) => {
      const eventLog = await test.open();
      await appendMany(eventLog, test.log, 101);
      const page = await eventLog.read(test.log);
      strictEqual(page.events.length, 100);
      strictEqual(page.more, true);
    });

    for (const limit of [1, 7, 25, 99, 100]) {
      suite.it(`pages forwards and backwards by ${limit}`, async (test) => {
        const eventLog = await test.open();
        const ids = await appendMany(eventLog, test.log, 100);
        const read = (options: ReadOptions) => eventLog.read(test.log, { ...options, limit });

        const forwards = await pages((last) => read({ after: last }));
        deepStrictEqual(forwards.flatMap(idsOf), ids);
        strictEqual(forwards.length, Math.ceil(100 / limit));

        const backwards = await pages((last) => read({ before: last, reverse: true }));
        deepStrictEqual(backwards.flatMap(idsOf), ids.toReversed());
        strictEqual(backwards.length, Math.ceil(100 / limit));
      });
    }

    suite.it('bounds a page by bytes, both ways', async (test) => {
      const eventLog = await test.open();
      const filler = 'x'.repeat(1000);
      const events = Array.from({ length: 10 }, (_, index) => event(`${index}${filler}`));
      const { ids } = await eventLog.append(test.log, events);
      const read = (options: ReadOptions) =>
        eventLog.read(test.log, { ...options, maxBytes: 3900 });

      const forwards = await pages((last) => read({ after: last }));
      deepStrictEqual(forwards.flatMap(idsOf), ids);
      deepStrictEqual(
        forwards.map((page) => page.events.length),
        [3, 3, 3, 1],
      );
      const backwards = await pages((last) => read({ before: last, reverse: true }));
      deepStrictEqual(backwards.flatMap(idsOf), ids.toReversed());
      deepStrictEqual(
        backwards.map((page) => page.events.length),
        [3, 3, 3, 1],
      );
    });

    suite.it('gives one event however small the bound and large the event', async (test) => {
      const eventLog = await test.open();
      const sizes = [10, 500_000, 10, 300_000];
      const { ids } = await eventLog.append(
        test.log,
        sizes.map((size) => event('x'.repeat(size))),
      );
      for (const maxBytes of [1, 9, 200_000]) {
        const forwards = await pages((last) => eventLog.read(test.log, { after: last, maxBytes }));
        deepStrictEqual(forwards.flatMap(idsOf), ids);
        strictEqual(forwards.length, 4);
      }
      const page = await eventLog.read(test.log, { maxBytes: 1, reverse: true });
      deepStrictEqual(idsOf(page), [ids[3]]);
      strictEqual(page.more, true);
    });

    suite.it('bounds a page by 256 KiB if nothing else is said', async (test) => {
      const eventLog = await test.open();
      await eventLog.append(
        test.log,
        Array.from({ length: 40 }, () => event('x'.repeat(10_000))),
      );
      const page = await eventLog.read(test.log);
      strictEqual(page.events.length, 26);
      strictEqual(page.more, true);
    });

    suite.it('tells in a page the version of the same moment', async (test) => {
      const eventLog = await test.open();
      await appendMany(eventLog, test.log, 1);
      let writing = true;
      const writer = (async () => {
        for (let index = 0; index < 200; index += 1) await appendMany(eventLog, test.log, 2);
        writing = false;
      })();
      while (writing) {
        // A store that answers within the turn would never let the writer go on.
        await nextTurn();
        const newest = await eventLog.read(test.log, { limit: 2, reverse: true });
        strictEqual(newest.events[0]?.id, newest.version);
        const rest = await eventLog.read(test.log, { after: newest.version, limit: 1000 });
        ok(!isAfter(newest.version, rest.version));
        strictEqual(rest.events.at(-1)?.id ?? newest.version, rest.version);
      }
      await writer;
    });

    suite.it('never shows a part of an append', async (test) => {
      const eventLog = await test.open();
      let writing = true;
      const writer = (async () => {
        for (let index = 0; index < 100; index += 1) {
          await eventLog.append(test.log, [event('a'), event('b'), event('c')]);
        }
        writing = false;
      })();
      while (writing) {
        await nextTurn();
        const page = await eventLog.read(test.log, { limit: 300, reverse: true });
        strictEqual(page.events.length % 3, 0);
      }
      await writer;
      strictEqual(payloadsOf(await eventLog.read(test.log, { limit: 300 })).length, 300);
    });

    suite.it('refuses options that break a rule and names the field', async (test) => {
      const eventLog = await test.open();
      const bad: [string, string, ReadOptions][] = [
        ['limit', 'invalid_input', { limit: -1 }],
        ['limit', 'invalid_input', { limit: 10_001 }],
        ['limit', 'invalid_input', { limit: 1.5 }],
        ['limit', 'invalid_input', { limit: Number.NaN }],
        ['maxBytes', 'invalid_input', { maxBytes: 0 }],
        ['maxBytes', 'invalid_input', { maxBytes: Number.POSITIVE_INFINITY }],
        ['after', 'invalid_event_id', { after: 'now' as EventId }],
        ['after', 'invalid_event_id', { after: '5' as EventId }],
        ['before', 'invalid_event_id', { before: '+' as EventId }],
      ];
      for (const [field, code, options] of bad) {
        await rejects(eventLog.read(test.log, options), { code, field });
      }
    });
  });
}

/** All pages that `read` gives, going on after the last event of each for as long as there are more. */
async function pages(read: (last: EventId | undefined) => Promise<Page>): Promise<Page[]> {
  const all: Page[] = [];
  let last: EventId | undefined;
  for (;;) {
    const page = await read(last);
    all.push(page);
    last = page.events.at(-1)?.id;
    if (!page.more) return all;
    ok(last !== undefined, 'a page without events cannot have more after it');
  }
}
