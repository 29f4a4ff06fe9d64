/** The rule by which a connection counts as dead, by the millisecond. */
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchLiveness } from '../../../../../src/stores/redis/place/liveness.ts';

const PATIENCE = { connectTimeout: 5_000, pingInterval: 5_000 };

/** As much of ioredis as the watch knows. */
class Connection extends EventEmitter {
  status = 'wait';
  stream = stream();
  pings = 0;

  become(status: string): void {
    if (status === 'connecting') this.stream = stream();
    this.status = status;
    this.emit(status);
  }

  async ping(): Promise<void> {
    this.pings += 1;
  }
}

function stream() {
  const made = { bytesRead: 0, broken: undefined as string | undefined, destroy: (_: Error) => {} };
  made.destroy = ({ message }) => {
    made.broken = message;
  };
  return made;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(): Connection {
  const connection = new Connection();
  watchLiveness(connection as unknown as Redis, PATIENCE);
  return connection;
}

test.each([0, 1, 2_499, 4_999, 5_000, 7_777])(
  'an open connection is broken one to two intervals after its last byte, which came after %i ms',
  async (lastByte) => {
    const connection = watched();
    for (const status of ['connecting', 'connect', 'ready']) connection.become(status);
    await vi.advanceTimersByTimeAsync(lastByte);
    connection.stream.bytesRead += 1;
    let silence = 0;
    while (connection.stream.broken === undefined) {
      await vi.advanceTimersByTimeAsync(1);
      silence += 1;
      expect(silence).toBeLessThanOrEqual(10_010);
    }
    expect(silence).toBeGreaterThanOrEqual(5_000);
    expect(connection.pings).toBeGreaterThan(0);
  },
);

test('one that answers lives, however quiet it is otherwise', async () => {
  const connection = watched();
  for (const status of ['connecting', 'connect', 'ready']) connection.become(status);
  for (let second = 0; second < 100; second += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    connection.stream.bytesRead = connection.pings;
  }
  expect(connection.stream.broken).toBeUndefined();
  expect(connection.pings).toBeGreaterThan(15);
});

test('opening one has one time for all of it, wherever it hangs', async () => {
  const connection = watched();
  connection.become('connecting');
  await vi.advanceTimersByTimeAsync(4_999);
  expect(connection.stream.broken).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2);
  expect(connection.stream.broken).toBe('Redis could not be reached within 5000 ms');

  connection.become('close');
  connection.become('connecting');
  await vi.advanceTimersByTimeAsync(3_000);
  // TLS is set up, and then nothing.
  connection.stream.bytesRead = 2_000;
  connection.become('connect');
  await vi.advanceTimersByTimeAsync(2_001);
  expect(connection.stream.broken).toBe('Redis did not answer for 5000 ms');
});

test('a server that loads its data and says so is waited for', async () => {
  const connection = watched();
  connection.become('connecting');
  connection.become('connect');
  for (let second = 0; second < 60; second += 1) {
    connection.stream.bytesRead += 100;
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(connection.stream.broken).toBeUndefined();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(connection.stream.broken).toMatch('did not answer');
});

test('a look at a connection that is gone does not hit the one in its place', async () => {
  const connection = watched();
  connection.become('connecting');
  await vi.advanceTimersByTimeAsync(4_000);
  connection.become('close');
  connection.become('connecting');
  await vi.advanceTimersByTimeAsync(4_000);
  expect(connection.stream.broken).toBeUndefined();
});
