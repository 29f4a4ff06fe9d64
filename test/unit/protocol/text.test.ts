import { expect, test } from 'vitest';
import { StoredEvent } from '../../../src/event/event.ts';
import { makeEventId } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { printEvent, textFormat } from '../../../src/protocol/text.ts';

const ID = makeEventId(1526919030474n, 55);
const parse = (line: string) => textFormat.parse(line, '1');

test('an event is printed as in the article', () => {
  const event = new StoredEvent(ID, 'SOME_EVENT', 'text', 'Some payload');
  expect(printEvent(event)).toBe(
    'Event(\n  id: 1526919030474-55,\n  type: SOME_EVENT,\n  payload: Some payload\n)',
  );
});

test('JSON is printed as stored, bytes as base64', () => {
  expect(printEvent(new StoredEvent(ID, 'T', 'json', '{"a": 1}'))).toContain('payload: {"a": 1}\n');
  expect(printEvent(new StoredEvent(ID, 'T', 'bytes', new Uint8Array([1])))).toContain('"AQ=="');
});

test('each event is a message of its own', () => {
  const events = ['a', 'b'].map((text) => new StoredEvent(ID, 'T', 'text', text));
  expect(textFormat.events(parseLogName('account:1'), events)).toHaveLength(2);
});

test('ping, with or without the newline that ended the line', () => {
  for (const line of ['ping', 'ping\n', 'ping\r\n']) {
    expect(parse(line)).toEqual({ op: 'ping', ref: undefined });
  }
});

test('event:2 appends the article’s event to account 2', () => {
  expect(parse('event:2')).toMatchObject({
    op: 'append',
    log: 'account:2',
    events: [{ type: 'SOME_EVENT', payload: 'Some payload for account(2) from account(1)' }],
  });
});

test('event:2:Greeted:Hello there appends that', () => {
  expect(parse('event:2:Greeted:Hello: there')).toMatchObject({
    log: 'account:2',
    events: [{ type: 'Greeted', payload: 'Hello: there' }],
  });
  expect(parse('event:2:Greeted:')).toMatchObject({ events: [{ type: 'Greeted', payload: '' }] });
});

test.each([
  ['', 'unknown_operation'],
  ['pong', 'unknown_operation'],
  ['event', 'unknown_operation'],
  ['event:2:Greeted', 'unknown_operation'],
  ['event:', 'invalid_account'],
  ['event:a b', 'invalid_account'],
  [`event:${'a'.repeat(129)}`, 'invalid_account'],
])('%s is refused with %s, and told what is expected', (line, code) => {
  const operation = parse(line);
  if (operation.op !== 'refused') throw new Error('was taken');
  expect(operation.error.code).toBe(code);
  const printed = textFormat.error(operation.error, undefined);
  expect(printed).toMatch(/^error: .*(expected ping|must be 1 to 128).* \(\w+\)$/);
});
