import { expect, test } from 'vitest';
import { prefersStream } from '../../../../src/gateway/http/accept.ts';

test.each([
  'text/event-stream',
  'Text/Event-Stream; charset=utf-8',
  'application/json, text/event-stream',
  'text/event-stream, */*',
  'text/event-stream;q=0.1',
  'text/html;q=0.9, text/event-stream;q=0.5, */*;q=0.1',
  'text/event-stream;q=0.5, application/json;q=0, */*',
])('a stream for %j', (accept) => {
  expect(prefersStream(accept)).toBe(true);
});

test.each([
  undefined,
  '',
  '*/*',
  'text/*',
  'application/json',
  'text/event-stream;q=0',
  'text/event-stream; Q=0.000, application/json',
  'text/event-stream;q=0.5, application/json',
  'text/event-stream;q=0.5, */*;q=0.8',
  'text/event-stream-of-mine',
  'application/json;profile="text/event-stream"',
])('a page for %j', (accept) => {
  expect(prefersStream(accept)).toBe(false);
});
