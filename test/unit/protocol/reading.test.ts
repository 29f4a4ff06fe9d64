/** What a client passes over, and what it cannot take. */
import { describe, expect, test } from 'vitest';
import { readAppended } from '../../../src/protocol/appended.ts';
import { readMessage } from '../../../src/protocol/event-stream.ts';
import { readFrame } from '../../../src/protocol/json-frames.ts';
import { readPage } from '../../../src/protocol/page.ts';
import { readProblem } from '../../../src/protocol/problem.ts';

const EVENT = { id: '5-1', type: 'T', payload: 1, meta: { by: 'me' } };

describe('what a later gateway may say is passed over', () => {
  test('an operation', () => {
    expect(readFrame('{"op":"presence","log":"account:1","at":7}')).toEqual({ op: 'unknown' });
  });

  test('members of frames and of events', () => {
    const event = { ...EVENT, signature: 'x' };
    const frame = { op: 'events', log: 'account:1', events: [event], compressed: false };
    expect(readFrame(JSON.stringify(frame))).toMatchObject({
      op: 'events',
      log: 'account:1',
      events: [{ id: '5-1', type: 'T', payload: 1, meta: { by: 'me' } }],
    });
    const live = '{"op":"live","log":"account:1","at":"5-1","since":"then"}';
    expect(readFrame(live)).toEqual({ op: 'live', log: 'account:1', at: '5-1' });
  });

  test('members of pages and answers', () => {
    const page = { log: 'account:1', events: [], cursor: '5-1', more: false, version: '5-1' };
    expect(readPage(JSON.stringify({ ...page, archived: true }))).toEqual(page);
    const appended = { ids: ['5-1'], version: '5-1', duplicate: false };
    expect(readAppended(JSON.stringify({ ...appended, took: 3 }))).toEqual(appended);
  });

  test('a code of an error, and its members', () => {
    const error = { op: 'error', ref: 1, code: 'quota_exceeded', message: 'no', quota: 5 };
    expect(readFrame(JSON.stringify(error))).toEqual({
      op: 'error',
      ref: 1,
      failure: { code: 'quota_exceeded', message: 'no' },
    });
    const problem = { type: 'about:blank', status: 402, detail: 'no', code: 'quota_exceeded' };
    expect(readProblem(JSON.stringify({ ...problem, instance: '/x' }))).toEqual({
      code: 'quota_exceeded',
      message: 'no',
    });
  });

  test('a message of an event stream', () => {
    expect(readMessage({ event: 'presence', data: 'anything' })).toEqual({ kind: 'unknown' });
  });
});

const frame = (members: object) => JSON.stringify({ op: 'live', log: 'account:1', ...members });
const events = (event: object) => frame({ op: 'events', events: [EVENT, { ...EVENT, ...event }] });

test.each([
  ['{', 'invalid_json', 'the message'],
  ['[]', 'invalid_input', 'the message'],
  ['{}', 'invalid_input', 'op'],
  [frame({ at: '5' }), 'invalid_input', 'at'],
  [frame({ at: '5-1', log: 'nolog' }), 'invalid_log', 'log'],
  [frame({ op: 'events', events: {} }), 'invalid_input', 'events'],
  [events({ id: 5 }), 'invalid_input', 'events[1].id'],
  [events({ type: null }), 'invalid_input', 'events[1].type'],
  [events({ payload: undefined }), 'invalid_input', 'events[1].payload'],
  [events({ meta: [] }), 'invalid_input', 'events[1].meta'],
  // The payload would be taken for what it is not.
  [events({ payload: 'AP8=', encoding: 'zstd' }), 'invalid_input', 'events[1].encoding'],
  [events({ payload: '?', encoding: 'base64' }), 'invalid_input', 'events[1].payload'],
  ['{"op":"appended","ref":{}}', 'invalid_input', 'ref'],
  ['{"op":"appended","ids":["x"]}', 'invalid_input', 'ids[0]'],
  ['{"op":"appended","ids":[],"version":"0-0"}', 'invalid_input', 'duplicate'],
  ['{"op":"error","code":"reset"}', 'invalid_input', 'message'],
  ['{"op":"error","code":"x","message":"x","retryAfter":"soon"}', 'invalid_input', 'retryAfter'],
])('%s is not of a gateway: %s, %s', (message, code, field) => {
  expect(() => readFrame(message)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(field) }),
  );
});

test('what a proxy answers is no problem of a gateway', () => {
  expect(() => readProblem('<html>Bad Gateway</html>')).toThrow('must be a JSON object');
  expect(() => readProblem('{"error":"Bad Gateway"}')).toThrow('code must be a string');
});
