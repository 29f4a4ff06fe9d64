import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StoredEvent } from '../../../src/event/event.ts';
import { type EventId, makeEventId } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { VersionConflict } from '../../../src/event/store-errors.ts';
import { encodeEvent } from '../../../src/protocol/event-json.ts';
import {
  appendedFrame,
  errorFrame,
  eventsFrames,
  liveFrame,
  pongFrame,
  resetFrame,
  trimmedFrame,
} from '../../../src/protocol/json-frames.ts';

const LOG = parseLogName('account:1');
const ID = makeEventId(5, 1);

test('a text payload is a JSON string', () => {
  const event = new StoredEvent(ID, 'Said', 'text', 'say "hi"\n🎉');
  expect(encodeEvent(event)).toBe('{"id":"5-1","type":"Said","payload":"say \\"hi\\"\\n🎉"}');
});

test('stored JSON is handed through as it stands, with its own spacing and digits', () => {
  const event = new StoredEvent(ID, 'T', 'json', '{ "n":  12345678901234567890.10 }', '{"a": 1}');
  expect(encodeEvent(event)).toBe(
    '{"id":"5-1","type":"T","payload":{ "n":  12345678901234567890.10 },"meta":{"a": 1}}',
  );
});

test('bytes are base64 and say so', () => {
  const event = new StoredEvent(ID, 'T', 'bytes', new Uint8Array([0, 255]));
  expect(encodeEvent(event)).toBe('{"id":"5-1","type":"T","payload":"AP8=","encoding":"base64"}');
});

test('stored JSON that is none is delivered as text, a broken meta not at all', () => {
  const event = new StoredEvent(ID, 'T', 'json', '{"a":1}}],"x":[{', '[}');
  expect(JSON.parse(encodeEvent(event))).toEqual({
    id: '5-1',
    type: 'T',
    payload: '{"a":1}}],"x":[{',
  });
});

test('whatever is stored makes one readable frame', () => {
  const stored = fc.record({
    type: fc.string({ unit: 'binary' }),
    codec: fc.constantFrom('text' as const, 'json' as const),
    data: fc.oneof(fc.string({ unit: 'binary' }), fc.json()),
    meta: fc.option(fc.oneof(fc.string(), fc.json()), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(stored, { minLength: 1, maxLength: 8 }), (all) => {
      const events = all.map(
        ({ type, codec, data, meta }, index) =>
          new StoredEvent(makeEventId(1, index), type, codec, data, meta),
      );
      const seen = eventsFrames(LOG, events).flatMap((frame) => JSON.parse(frame).events);
      expect(seen.map(({ id }: { id: string }) => id)).toEqual(events.map(({ id }) => id));
      expect(seen.map(({ type }: { type: string }) => type)).toEqual(all.map(({ type }) => type));
    }),
  );
});

test('many events become frames of about 64 KiB, in order; a large one has its own', () => {
  const sizes = [...Array(100).fill(1_000), 200_000, 10, 10];
  const events = sizes.map(
    (size, index) => new StoredEvent(makeEventId(1, index), 'T', 'text', 'x'.repeat(size)),
  );
  const frames = eventsFrames(LOG, events);
  expect(frames.map((frame) => JSON.parse(frame).events.length)).toEqual([63, 37, 1, 2]);
  expect(frames[0]!.length).toBeLessThan(70_000);
  const ids = frames.flatMap((frame) => JSON.parse(frame).events.map((e: { id: string }) => e.id));
  expect(ids).toEqual(events.map(({ id }) => id));
});

test('no events, no frame', () => {
  expect(eventsFrames(LOG, [])).toEqual([]);
});

test('the other frames are as the protocol has them', () => {
  const version = '6-0' as EventId;
  expect(JSON.parse(liveFrame(LOG, ID))).toEqual({ op: 'live', log: LOG, at: '5-1' });
  expect(JSON.parse(trimmedFrame(LOG, ID))).toEqual({
    op: 'trimmed',
    log: LOG,
    resumeAfter: '5-1',
  });
  expect(JSON.parse(resetFrame(LOG, version))).toEqual({ op: 'reset', log: LOG, version });
  expect(JSON.parse(appendedFrame(1, { ids: [ID], version, duplicate: false }))).toEqual({
    op: 'appended',
    ref: 1,
    ids: ['5-1'],
    version,
    duplicate: false,
  });
  expect(JSON.parse(pongFrame('a"b'))).toEqual({ op: 'pong', ref: 'a"b' });
  expect(JSON.parse(pongFrame(undefined))).toEqual({ op: 'pong' });
});

test('an error tells its details', () => {
  const error = new VersionConflict(LOG, ID, '6-0' as EventId);
  expect(JSON.parse(errorFrame(error, 1))).toEqual({
    op: 'error',
    ref: 1,
    code: 'version_conflict',
    message: error.message,
    actual: '6-0',
  });
});
