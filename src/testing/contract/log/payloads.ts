import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import type { Meta, Payload } from '../../../event/event.ts';
import { ZERO_ID } from '../../../event/event-id.ts';
import { eventually } from '../eventually.ts';
import type { LogSuite } from './log-under-test.ts';
import { RecordingFollower } from './recording-follower.ts';
import { event, onlyId, readAll, versionOf } from './say.ts';

const MEBIBYTE = 1_048_576;

const PAYLOADS: Record<string, Payload> = {
  'the empty string': '',
  'a line break and quotes': 'line one\nline "two"\r\n\ttab \\ backslash',
  'a zero character': 'before\u0000after',
  emoji: '👩‍👩‍👧‍👦 says 你好 to مرحبا 🇩🇪',
  'text that looks like a JSON object': '{"text":"hi"}',
  'text that looks like a JSON string': '"quoted"',
  'text that looks like a number': '42',
  'text that looks like null': 'null',
  'text that looks like a frame': 'Event(\n  id: 1-1,\n  type: X,\n  payload: y\n)',
  'line separators': 'a\u2028b\u2029c',
  'no bytes': new Uint8Array(),
  'every byte': Uint8Array.from({ length: 256 }, (_, byte) => byte),
  'bytes that are no UTF-8': Uint8Array.of(0xff, 0xfe, 0xc0, 0x80),
  'the number 0': 0,
  'a fraction': -12.5e-7,
  'a number beyond 2^53': 1e300,
  true: true,
  false: false,
  null: null,
  'an empty array': [],
  'an array': [1, 'two', null, [true, { three: 3 }]],
  'an empty object': {},
  'an object': { text: 'hi 👋', nested: { 'with "quotes"': ['\n'] }, last: null },
  'an object with strange names': { '': 1, type: 2, payload: 3, constructor: 4 },
};

export function payloadTests(suite: LogSuite): void {
  suite.topic('payloads', () => {
    suite.it('come back as what they were, to readers and to followers', async (test) => {
      const eventLog = await test.open();
      const follower = new RecordingFollower();
      await eventLog.follow(test.log, follower);
      for (const payload of Object.values(PAYLOADS))
        await eventLog.append(test.log, [event(payload)]);

      const { events } = await readAll(eventLog, test.log);
      await eventually(() => follower.told.length === events.length);
      for (const [index, [what, payload]] of Object.entries(PAYLOADS).entries()) {
        deepStrictEqual(events[index]?.payload, payload, `${what}, as it was read`);
        deepStrictEqual(follower.told[index]?.payload, payload, `${what}, as it was followed`);
        deepStrictEqual(JSON.parse(events[index]!.payloadJson), asJson(payload), what);
      }
    });

    suite.it('with a number that JSON has no word for are refused', async (test) => {
      const eventLog = await test.open();
      for (const [payload, field] of [
        [Number.NaN, 'events[1].payload'],
        [{ price: Number.POSITIVE_INFINITY, rest: null }, 'events[1].payload.price'],
        [JSON.parse('[[1e400]]') as Payload, 'events[1].payload[0][0]'],
      ] as const) {
        await rejects(eventLog.append(test.log, [event(1), event(payload)]), {
          code: 'invalid_event',
          field,
        });
      }
      strictEqual(await versionOf(eventLog, test.log), ZERO_ID);
    });

    suite.it('come back side by side from one append', async (test) => {
      const eventLog = await test.open();
      const payloads = Object.values(PAYLOADS);
      await eventLog.append(
        test.log,
        payloads.map((payload) => event(payload)),
      );
      const { events } = await readAll(eventLog, test.log);
      deepStrictEqual(
        events.map(({ payload }) => payload),
        payloads,
      );
    });

    suite.it('are stored as JSON text that is handed through as it stands', async (test) => {
      const eventLog = await test.open();
      const payload = { zebra: 1, apple: [1, 2], ü: '\u2028' };
      await eventLog.append(test.log, [event(payload)]);
      const [stored] = (await eventLog.read(test.log)).events;
      strictEqual(stored?.codec, 'json');
      strictEqual(stored?.payloadJson, JSON.stringify(payload));
    });

    for (const [what, payload] of [
      ['text', '0123456789abcdef'.repeat(MEBIBYTE / 16)],
      ['text of several bytes a character', '🐟'.repeat(MEBIBYTE / 4)],
      ['bytes', new Uint8Array(MEBIBYTE).map((_, index) => index % 251)],
      ['JSON', ['x'.repeat(MEBIBYTE - 4)]],
    ] as [string, Payload][]) {
      suite.it(`may be 1 MiB of ${what}, and not a byte more`, async (test) => {
        const eventLog = await test.open();
        const id = onlyId(await eventLog.append(test.log, [event(payload)]));
        const [stored] = (await eventLog.read(test.log)).events;
        strictEqual(stored?.id, id);
        // Not compared deeply: a difference of this size cannot be printed.
        strictEqual(Buffer.compare(rawBytes(stored.payload), rawBytes(payload)), 0);

        await rejects(eventLog.append(test.log, [event('small'), event(oneMore(payload))]), {
          code: 'too_large',
          field: 'events[1].payload',
        });
        strictEqual(await versionOf(eventLog, test.log), id);
      });
    }

    suite.it(
      'may be 7 MiB in one append, and not 8 MiB with what belongs to them',
      async (test) => {
        const eventLog = await test.open();
        const large = event('x'.repeat(MEBIBYTE));
        const { ids } = await eventLog.append(test.log, Array(7).fill(large));
        strictEqual(ids.length, 7);
        await rejects(eventLog.append(test.log, Array(8).fill(large)), {
          code: 'too_large',
          field: 'events',
        });
        strictEqual((await readAll(eventLog, test.log)).events.length, 7);
      },
    );

    suite.it('are held to the limits that the store was opened with', async (test) => {
      const limits = { maxPayloadBytes: 10, maxMetaBytes: 20, maxEventsPerAppend: 2 };
      const eventLog = await test.open({ limits });
      await eventLog.append(test.log, [event('0123456789'), event('🐟🐟')]);
      const tooLarge: [string, Parameters<typeof eventLog.append>[1]][] = [
        ['events', [event(''), event(''), event('')]],
        ['events[0].payload', [event('0123456789a')]],
        ['events[0].payload', [event('🐟🐟🐟')]],
        ['events[0].meta', [{ ...event(''), meta: { long: 'x'.repeat(20) } }]],
      ];
      for (const [field, events] of tooLarge) {
        await rejects(eventLog.append(test.log, events), { code: 'too_large', field });
      }
      strictEqual((await readAll(eventLog, test.log)).events.length, 2);
    });

    suite.it('are not changed by what the caller does with its buffer later', async (test) => {
      const eventLog = await test.open();
      const buffer = Buffer.from('original');
      await eventLog.append(test.log, [event(buffer)]);
      buffer.fill('X');
      const [stored] = (await eventLog.read(test.log)).events;
      strictEqual(Buffer.from(stored?.payload as Uint8Array).toString(), 'original');
    });

    suite.it('stand beside meta, which comes back too', async (test) => {
      const eventLog = await test.open();
      const metas: (Meta | undefined)[] = [
        undefined,
        {},
        { by: 'account:1', version: 3, tags: ['a', null], '👤': { name: 'ü' } },
        { long: 'x'.repeat(16_000) },
      ];
      const payloads: Payload[] = ['text', { json: true }, Uint8Array.of(0, 255)];
      const events = payloads.flatMap((payload) =>
        metas.map((meta) => ({ ...event(payload), meta })),
      );
      await eventLog.append(test.log, events);
      const stored = (await readAll(eventLog, test.log)).events;
      deepStrictEqual(
        stored.map(({ payload, meta }) => ({ payload, meta })),
        events.map(({ payload, meta }) => ({ payload, meta })),
      );
    });

    suite.it('refuses meta of more than 16 KiB', async (test) => {
      const eventLog = await test.open();
      const meta = { long: 'x'.repeat(16_384) };
      await rejects(eventLog.append(test.log, [{ ...event(), meta }]), {
        code: 'too_large',
        field: 'events[0].meta',
      });
      strictEqual(await versionOf(eventLog, test.log), ZERO_ID);
    });

    suite.it('belong to types of any characters that are none of control', async (test) => {
      const eventLog = await test.open();
      const types = [
        'a',
        'type',
        'payload',
        '👋 greeted',
        'with "quotes" and: colons',
        'x'.repeat(256),
      ];
      await eventLog.append(
        test.log,
        types.map((type) => event('', type)),
      );
      const { events } = await readAll(eventLog, test.log);
      deepStrictEqual(
        events.map(({ type }) => type),
        types,
      );
    });
  });
}

function asJson(payload: Payload): unknown {
  return payload instanceof Uint8Array ? Buffer.from(payload).toString('base64') : payload;
}

function rawBytes(payload: Payload): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
}

function oneMore(payload: Payload): Payload {
  if (payload instanceof Uint8Array) return new Uint8Array(payload.length + 1);
  return typeof payload === 'string' ? `${payload}x` : ['x'.repeat(MEBIBYTE - 3)];
}
