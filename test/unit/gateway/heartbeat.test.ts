import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Beating, Heartbeat } from '../../../src/gateway/heartbeat.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

class Patient implements Beating {
  seenAt = 0;
  beats = 0;
  expired: number | undefined;

  beat(): void {
    this.beats += 1;
  }
  expire(): void {
    this.expired ??= Date.now();
  }
}

test('everyone is asked once per interval, spread over it', () => {
  const heartbeat = new Heartbeat(25_000, 60_000);
  const patients = Array.from({ length: 1_000 }, () => new Patient());
  for (const patient of patients) heartbeat.add(patient);
  const asked = () => patients.reduce((sum, { beats }) => sum + beats, 0);
  for (let turn = 1; turn <= 500; turn += 1) {
    vi.advanceTimersByTime(50);
    expect(asked()).toBe(2 * turn);
  }
  expect(patients.every(({ beats }) => beats === 1)).toBe(true);
  heartbeat.stop();
});

test('who is silent for 60 s expires, within a tenth of that', () => {
  const heartbeat = new Heartbeat(25_000, 60_000);
  const started = Date.now();
  const patients = Array.from({ length: 25 }, () => new Patient());
  for (const patient of patients) heartbeat.add(patient);
  vi.advanceTimersByTime(70_000);
  for (const { expired } of patients) {
    expect(expired! - started).toBeGreaterThan(60_000);
    expect(expired! - started).toBeLessThanOrEqual(66_000);
  }
  heartbeat.stop();
});

test('a sign of life counts, and who has left is left alone', () => {
  const heartbeat = new Heartbeat(25_000, 60_000);
  const alive = new Patient();
  const gone = new Patient();
  heartbeat.add(alive);
  heartbeat.remove(gone, heartbeat.add(gone));
  for (let minute = 0; minute < 5; minute += 1) {
    vi.advanceTimersByTime(59_000);
    alive.seenAt = heartbeat.now;
  }
  expect(alive.expired).toBeUndefined();
  expect([gone.beats, gone.expired]).toEqual([0, undefined]);
  heartbeat.stop();
});
