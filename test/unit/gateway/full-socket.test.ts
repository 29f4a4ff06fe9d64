/** What one socket may cost that follows many logs and reads slowly or not at all. */
import { afterEach, expect, test } from 'vitest';
import type { LogName } from '../../../src/event/log-name.ts';
import { createLive } from '../../../src/live/create-live.ts';
import type { Live } from '../../../src/live/live.ts';
import type { Page, ReadOptions } from '../../../src/log/log.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../../support/eventually.ts';
import { randomLog } from '../../support/names.ts';
import { type DeliveredEvents, FakeSocket, type Scene, scene } from './fakes.ts';

const LOGS = 50;
const EVENT_BYTES = 100_000;
const SEND_BUFFER = 65_536;

let live: Live;

afterEach(() => live.close());

/** A socket whose peer takes what it is asked to take. */
class FillingSocket extends FakeSocket {
  largest = 0;
  readonly order: LogName[] = [];

  override deliver(delivered: DeliveredEvents, message: string): void {
    super.deliver(delivered, message);
    this.order.push(delivered.log);
    this.bytesWaiting += message.length;
    this.largest = Math.max(this.largest, this.bytesWaiting);
  }
}

class CountingLog extends MemoryLog {
  /** Pages that held events. */
  fullPages = 0;

  override async read(log: LogName, options?: ReadOptions): Promise<Page> {
    const page = await super.read(log, options);
    // A store takes its time.
    await new Promise(setImmediate);
    if (page.events.length > 0) this.fullPages += 1;
    return page;
  }
}

interface Crowd extends Scene {
  readonly filling: FillingSocket;
  readonly store: CountingLog;
  readonly logs: readonly LogName[];
  append(log: LogName): Promise<unknown>;
}

/** A session that follows many logs, from the start of each. */
function crowd(): Crowd {
  const store = new CountingLog();
  live = createLive({ log: store });
  const filling = new FillingSocket();
  const made = scene({ sendBufferBytes: SEND_BUFFER }, { live, socket: filling });
  const logs = Array.from({ length: LOGS }, () => randomLog('room'));
  const append = (log: LogName) =>
    store.append(log, [{ type: 'Large', payload: 'x'.repeat(EVENT_BYTES) }]);
  return { ...made, filling, store, logs, append };
}

const deliveries = (socket: FillingSocket) => socket.delivered.length;
const atEase = () => new Promise((resolve) => setTimeout(resolve, 20));

test('a replay of many logs buffers one batch beyond what may wait, and reads nothing in vain', async () => {
  const { filling, store, logs, append, say, session } = crowd();
  for (const log of logs) for (let count = 0; count < 2; count += 1) await append(log);
  for (const log of logs) say({ op: 'subscribe', log, after: '0-0' });
  for (let served = 1; served <= LOGS * 2; served += 1) {
    await eventually(() => deliveries(filling) === served);
    filling.bytesWaiting = 0;
    session.drained();
  }
  await atEase();
  expect(deliveries(filling)).toBe(LOGS * 2);
  expect(filling.largest).toBeLessThan(SEND_BUFFER + EVENT_BYTES + 200);
  expect(store.fullPages).toBeLessThanOrEqual(LOGS * 2 + 5);
  // Everybody has had one event before anybody has had two.
  expect(new Set(filling.order.slice(0, LOGS)).size).toBe(LOGS);
});

test('what many logs push buffers one batch beyond what may wait, and comes when there is room', async () => {
  const { filling, logs, append, say, session } = crowd();
  for (const log of logs) say({ op: 'subscribe', log, after: '0-0' });
  await eventually(() => filling.told.filter(({ op }) => op === 'live').length === LOGS + 1);
  for (const log of logs) await append(log);
  await atEase();
  expect(deliveries(filling)).toBe(1);
  expect(filling.largest).toBeLessThan(SEND_BUFFER + EVENT_BYTES + 200);
  for (let served = 1; served <= LOGS; served += 1) {
    await eventually(() => deliveries(filling) === served);
    filling.bytesWaiting = 0;
    session.drained();
  }
  expect(new Set(filling.order).size).toBe(LOGS);
});
