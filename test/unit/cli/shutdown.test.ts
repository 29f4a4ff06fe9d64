import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ProcessControl, stopOnSignal } from '../../../src/cli/shutdown.ts';

class FakeProcess implements ProcessControl {
  readonly exits: number[] = [];
  readonly #listeners = new Map<string, (signal: NodeJS.Signals) => void>();

  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): void {
    this.#listeners.set(signal, listener);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  send(signal: NodeJS.Signals): void {
    this.#listeners.get(signal)?.(signal);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start(stop: () => Promise<void>) {
  const control = new FakeProcess();
  const signals: string[] = [];
  const failures: unknown[] = [];
  stopOnSignal(
    control,
    stop,
    (signal) => signals.push(signal),
    (error) => failures.push(error),
  );
  return { control, signals, failures };
}

test('a signal stops, then exits with 0', async () => {
  const { control, signals } = start(async () => {});
  control.send('SIGTERM');
  await vi.advanceTimersByTimeAsync(0);
  expect(control.exits).toEqual([0]);
  expect(signals).toEqual(['SIGTERM']);
});

test('a stop that fails exits with 1 and says why', async () => {
  const { control, failures } = start(() => Promise.reject(new Error('no')));
  control.send('SIGINT');
  await vi.advanceTimersByTimeAsync(0);
  expect(control.exits).toEqual([1]);
  expect(failures).toHaveLength(1);
});

test('a stop that does not end is cut off before 10 s', async () => {
  const { control, failures } = start(() => new Promise(() => {}));
  control.send('SIGTERM');
  await vi.advanceTimersByTimeAsync(9_000);
  expect(control.exits).toEqual([]);
  await vi.advanceTimersByTimeAsync(999);
  expect(control.exits).toEqual([1]);
  expect(failures).toHaveLength(1);
});

test('a second signal exits at once, but the echo of the first does not', async () => {
  const { control } = start(() => new Promise(() => {}));
  control.send('SIGINT');
  control.send('SIGINT');
  await vi.advanceTimersByTimeAsync(400);
  control.send('SIGTERM');
  expect(control.exits).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  control.send('SIGINT');
  expect(control.exits).toEqual([130]);
});
