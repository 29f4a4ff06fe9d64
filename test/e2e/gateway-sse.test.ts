/** A log as server-sent events, over real HTTP. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StoredEvent } from '../../src/event/event.ts';
import type { EventId } from '../../src/event/event-id.ts';
import { accountLog, type LogName } from '../../src/event/log-name.ts';
import { createLive } from '../../src/live/create-live.ts';
import { readMessage } from '../../src/protocol/event-stream.ts';
import { ServerSentEventReader } from '../../src/protocol/server-sent-events.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { type RunningGateway, startGateway } from './gateway-client.ts';

let running: RunningGateway;
let memory: MemoryLog;
let account: string;
let log: LogName;
let streams: EventSourceLike[];

beforeEach(async () => {
  memory = new MemoryLog();
  running = await startGateway({ log: memory, pingInterval: 500 });
  account = randomId();
  log = accountLog(account);
  streams = [];
});

afterEach(async () => {
  for (const stream of streams) stream.close();
  await running.stop();
});

interface Received {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** Reads a stream as a browser's EventSource does. */
class EventSourceLike {
  readonly received: Received[] = [];
  readonly response: Response;
  comments = 0;
  ended = false;
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    void this.#read().catch(() => {
      this.ended = true;
    });
  }

  static async open(query = '', lastEventId?: string): Promise<EventSourceLike> {
    const abort = new AbortController();
    const response = await fetch(`${running.url}/accounts/${account}/events${query}`, {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: abort.signal,
    });
    const stream = new EventSourceLike(response, abort);
    streams.push(stream);
    return stream;
  }

  get events(): StoredEvent[] {
    return this.received.map(readMessage).flatMap((message) => {
      if (message.kind === 'unknown') throw new Error('it is not what a client knows');
      return message.kind === 'event' ? [message.event] : [];
    });
  }

  async named(name: string): Promise<Received> {
    await eventually(() => this.received.some(({ event }) => event === name));
    return this.received.find(({ event }) => event === name)!;
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const reader = new ServerSentEventReader();
    for await (const chunk of this.response.body as unknown as AsyncIterable<Uint8Array>) {
      const text = decoder.decode(chunk, { stream: true });
      this.comments += [...text.matchAll(/^:/gm)].length;
      for (const { event, lastEventId, data } of reader.read(text)) {
        this.received.push({ event, id: lastEventId === '' ? undefined : lastEventId, data });
      }
    }
    this.ended = true;
  }
}

async function append(...payloads: string[]): Promise<EventId[]> {
  const events = payloads.map((payload) => ({ type: 'Said', payload }));
  return [...(await memory.append(log, events)).ids];
}

test('what was there, then live, then what comes; the id is the event’s', async () => {
  const ids = await append('a', 'b');
  const stream = await EventSourceLike.open();
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
  expect(await stream.named('live')).toEqual({
    event: 'live',
    id: ids[1],
    data: `{"at":"${ids[1]}"}`,
  });
  ids.push(...(await append('c')));
  await eventually(() => stream.events.length === 3);
  expect(stream.events.map(({ payload }) => payload)).toEqual(['a', 'b', 'c']);
  const messages = stream.received.filter(({ event }) => event === 'message');
  expect(messages.map(({ id }) => id)).toEqual(ids);
});

test('Last-Event-ID resumes, whatever the address says', async () => {
  const [first] = await append('a', 'b', 'c');
  const stream = await EventSourceLike.open('?after=now', first);
  await stream.named('live');
  expect(stream.events.map(({ payload }) => payload)).toEqual(['b', 'c']);
});

test('who started now and saw nothing yet comes back without a gap', async () => {
  await append('old');
  const stream = await EventSourceLike.open('?after=now');
  const { id } = await stream.named('live');
  stream.close();
  await append('missed');
  const again = await EventSourceLike.open('?after=now', id);
  await again.named('live');
  expect(again.events.map(({ payload }) => payload)).toEqual(['missed']);
});

test('new lines in payloads do not break the framing', async () => {
  await append('a\n\ndata: fake\r\nid: 1-1\rb', 'next');
  const stream = await EventSourceLike.open();
  await stream.named('live');
  expect(stream.events.map(({ payload }) => payload)).toEqual([
    'a\n\ndata: fake\r\nid: 1-1\rb',
    'next',
  ]);
});

test('trimmed and reset are named, and move the cursor that a browser comes back with', async () => {
  const ids = await append('a', 'b', 'c');
  await memory.trim(log, ids[1]!);
  const stream = await EventSourceLike.open(`?after=${ids[0]}`);
  expect(await stream.named('trimmed')).toEqual({
    event: 'trimmed',
    id: ids[1],
    data: `{"resumeAfter":"${ids[1]}"}`,
  });
  await stream.named('live');
  expect(stream.events.map(({ payload }) => payload)).toEqual(['c']);
  const lost = await EventSourceLike.open('', '9999999999999-0');
  expect(await lost.named('reset')).toMatchObject({
    id: '0-0',
    data: `{"version":"${ids[2]}"}`,
  });
  await lost.named('live');
  expect(lost.events.map(({ payload }) => payload)).toEqual(['c']);
});

test('a quiet stream is kept alive by comments', async () => {
  const stream = await EventSourceLike.open();
  await eventually(() => stream.comments >= 2);
});

test('begins with the last events, and comes back after the one it saw', async () => {
  for (const payload of [1, 2, 3]) await memory.append(log, [{ type: 'Counted', payload }]);
  const stream = await EventSourceLike.open('?last=2');
  const live = await stream.named('live');
  const { version } = await memory.read(log);
  expect(live).toMatchObject({ id: version });
  const data = stream.received.filter(({ event }) => event === 'message');
  expect(data.map((message) => JSON.parse(message.data).payload)).toEqual([2, 3]);
});

test('a bad cursor is refused before the stream begins', async () => {
  const stream = await EventSourceLike.open('', 'nonsense');
  expect(stream.response.status).toBe(400);
  expect(stream.response.headers.get('content-type')).toBe('application/problem+json');
});

test('a HEAD request does not leave a subscription behind', async () => {
  const live = createLive({ log: memory });
  let subscriptions = 0;
  const counted = await startGateway({
    log: memory,
    live: {
      subscribe(...subscription) {
        subscriptions += 1;
        return live.subscribe(...subscription);
      },
      read: (...options) => live.read(...options),
      before: (...options) => live.before(...options),
      close: () => live.close(),
    },
  });
  const response = await fetch(`${counted.url}/accounts/1/events`, {
    method: 'HEAD',
    headers: { accept: 'text/event-stream' },
  });
  expect(response.status).toBe(200);
  expect(subscriptions).toBe(0);
  await counted.listening.close();
});

test('the stream ends when the gateway does', async () => {
  const stream = await EventSourceLike.open();
  await stream.named('live');
  await running.listening.close();
  await eventually(() => stream.ended);
});
