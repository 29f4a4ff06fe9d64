import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseOperation } from '../../../src/protocol/json-operations.ts';

const parse = (value: unknown) => parseOperation(JSON.stringify(value), '1');

/** Code, message and ref of the refusal that `value` gets. */
function refusal(value: unknown): { code: string; message: string; ref: unknown } {
  const operation = typeof value === 'string' ? parseOperation(value, '1') : parse(value);
  if (operation.op !== 'refused') throw new Error(`was taken: ${JSON.stringify(operation)}`);
  return { code: operation.error.code, message: operation.error.message, ref: operation.ref };
}

test('an append with everything', () => {
  const operation = parse({
    op: 'append',
    ref: 1,
    log: 'account:2',
    events: [{ type: 'Greeted', payload: { text: 'hi' }, meta: { by: 'me' } }],
    expected: '0-0',
    producer: { id: 'p1', epoch: 0, seq: 0 },
  });
  expect(operation).toEqual({
    op: 'append',
    ref: 1,
    log: 'account:2',
    events: [{ type: 'Greeted', payload: { text: 'hi' }, meta: { by: 'me' } }],
    expected: '0-0',
    producer: { id: 'p1', epoch: 0, seq: 0 },
  });
});

test('the log defaults to the account’s own', () => {
  expect(parse({ op: 'append', events: [{ type: 'T', payload: null }] })).toMatchObject({
    log: 'account:1',
    events: [{ type: 'T', payload: null }],
    expected: undefined,
    producer: undefined,
  });
  expect(parse({ op: 'unsubscribe' })).toMatchObject({ log: 'account:1' });
});

test('bytes come as base64', () => {
  const operation = parse({
    op: 'append',
    events: [{ type: 'T', payload: 'AP8=', encoding: 'base64' }],
  });
  expect(operation).toMatchObject({ events: [{ payload: new Uint8Array([0, 255]) }] });
});

test('subscribe starts after an event, at a time, with the last ones, or now', () => {
  expect(parse({ op: 'subscribe', log: 'room:5' })).toMatchObject({ start: { after: '0-0' } });
  expect(parse({ op: 'subscribe', after: '7-1' })).toMatchObject({ start: { after: '7-1' } });
  expect(parse({ op: 'subscribe', after: 'now' })).toMatchObject({ start: 'now' });
  expect(parse({ op: 'subscribe', since: '1970-01-01T00:00:01Z' })).toMatchObject({
    start: { since: 1000 },
  });
  expect(parse({ op: 'subscribe', last: 100 })).toMatchObject({ start: { last: 100 } });
});

test('ping, pause and resume carry a ref', () => {
  for (const op of ['ping', 'pause', 'resume']) {
    expect(parse({ op, ref: 'a' })).toEqual({ op, ref: 'a' });
  }
});

test.each([
  ['{', 'invalid_json', ''],
  ['"ping"', 'invalid_operation', 'the message'],
  ['[]', 'invalid_operation', 'the message'],
  ['{}', 'unknown_operation', 'append, subscribe, unsubscribe, pause, resume, ping'],
  ['{"op":"toString"}', 'unknown_operation', 'toString'],
  ['{"op":"ping","ref":{}}', 'invalid_operation', 'ref'],
  ['{"op":"ping","ref":1e400}', 'invalid_operation', 'ref must be a finite number'],
  ['{"op":"ping","extra":1}', 'invalid_operation', 'extra'],
  ['{"op":"append"}', 'invalid_event', 'events'],
  ['{"op":"append","events":{}}', 'invalid_event', 'events'],
  ['{"op":"append","events":[1]}', 'invalid_event', 'events[0]'],
  ['{"op":"append","events":[{"payload":1}]}', 'invalid_event', 'events[0].type'],
  ['{"op":"append","events":[{"type":"T"}]}', 'invalid_event', 'events[0].payload'],
  [
    '{"op":"append","events":[{"type":"T","payload":1,"mate":{}}]}',
    'invalid_event',
    'events[0].mate',
  ],
  ['{"op":"append","events":[{"type":"T","payload":1,"meta":[]}]}', 'invalid_event', '.meta'],
  [
    '{"op":"append","events":[{"type":"T","payload":"x","encoding":"hex"}]}',
    'invalid_event',
    '.encoding',
  ],
  [
    '{"op":"append","events":[{"type":"T","payload":"x","encoding":"base64"}]}',
    'invalid_event',
    '.payload',
  ],
  ['{"op":"append","events":[],"log":"nolog"}', 'invalid_log', 'log'],
  ['{"op":"append","events":[],"log":7}', 'invalid_operation', 'log'],
  ['{"op":"append","events":[],"expected":"x"}', 'invalid_event_id', 'expected'],
  ['{"op":"append","events":[],"producer":1}', 'invalid_operation', 'producer'],
  ['{"op":"append","events":[],"producer":{"id":""}}', 'invalid_operation', 'producer.id'],
  [
    '{"op":"append","events":[],"producer":{"id":"p","epoch":-1,"seq":0}}',
    'invalid_operation',
    'producer.epoch',
  ],
  [
    '{"op":"append","events":[],"producer":{"id":"p","epoch":0,"seq":0.5}}',
    'invalid_operation',
    'producer.seq',
  ],
  ['{"op":"append","expcted":"0-0","events":[]}', 'invalid_operation', 'expcted'],
  ['{"op":"subscribe","after":"yesterday"}', 'invalid_event_id', 'after'],
  ['{"op":"subscribe","after":5}', 'invalid_operation', 'after'],
  ['{"op":"subscribe","last":"100"}', 'invalid_operation', 'last'],
  ['{"op":"subscribe","last":0}', 'invalid_query', 'last'],
  ['{"op":"subscribe","last":1,"after":"now"}', 'invalid_query', 'last'],
  ['{"op":"authenticate"}', 'invalid_operation', 'token'],
  ['{"op":"authenticate","token":7}', 'invalid_operation', 'token'],
  ['{"op":"subscribe","since":"yesterday"}', 'invalid_time', 'since'],
  ['{"op":"subscribe","since":"2020-01-01T00:00:00Z","after":"now"}', 'invalid_query', 'since'],
])('%s is refused with %s and names %s', (message, code, named) => {
  const refused = refusal(message);
  expect(refused.code).toBe(code);
  expect(refused.message).toContain(named);
});

test('a refusal carries the ref where it could be read', () => {
  expect(refusal({ op: 'nothing', ref: 7 }).ref).toBe(7);
  expect(refusal({ op: 'append', ref: 'x' }).ref).toBe('x');
});

test('whatever comes is taken or refused, never thrown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.string({ unit: 'binary' })), (message) => {
      expect(parseOperation(message, '1').op).toBeTypeOf('string');
    }),
  );
  const shaped = fc.record(
    {
      op: fc.constantFrom('append', 'subscribe', 'unsubscribe', 'ping', 'pause'),
      ref: fc.jsonValue(),
      log: fc.jsonValue(),
      events: fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(fc.string(), fc.jsonValue()))),
      after: fc.jsonValue(),
      producer: fc.jsonValue(),
    },
    { requiredKeys: ['op'] },
  );
  fc.assert(
    fc.property(shaped, (value) => {
      expect(parse(value).op).toBeTypeOf('string');
    }),
  );
});
