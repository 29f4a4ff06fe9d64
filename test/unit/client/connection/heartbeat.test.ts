import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Heartbeat } from '../../../../src/client/connection/heartbeat.ts';

let pings: number;
let deaths: number;
let heartbeat: Heartbeat;

beforeEach(() => {
  vi.useFakeTimers();
  pings = 0;
  deaths = 0;
  const die = () => {
    deaths += 1;
    heartbeat.stop();
  };
  heartbeat = new Heartbeat(() => pings++, die);
});

afterEach(() => {
  heartbeat.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const seconds = (count: number) => vi.advanceTimersByTime(count * 1_000);
/** Time in which no timer runs; those that were due run late. */
const sleep = (count: number) => vi.setSystemTime(Date.now() + count * 1_000);

test('asks after 20 s of silence, and gives up 10 s later', () => {
  seconds(19.9);
  expect(pings).toBe(0);
  seconds(0.2);
  expect(pings).toBe(1);
  seconds(9.8);
  expect(deaths).toBe(0);
  seconds(0.2);
  expect([pings, deaths]).toEqual([1, 1]);
});

test('whoever is heard is not asked', () => {
  for (let count = 0; count < 20; count += 1) {
    seconds(15);
    heartbeat.heard();
  }
  expect([pings, deaths]).toEqual([0, 0]);
});

test('an answer starts the silence anew', () => {
  seconds(25);
  heartbeat.heard();
  seconds(19);
  expect([pings, deaths]).toEqual([1, 0]);
  seconds(10);
  expect([pings, deaths]).toEqual([2, 0]);
});

test('a machine that wakes up asks within a tick, and gives up 5 s later', () => {
  seconds(1);
  heartbeat.heard();
  sleep(3_600);
  seconds(5);
  expect([pings, deaths]).toEqual([1, 0]);
  seconds(5);
  expect([pings, deaths]).toEqual([1, 1]);
});

test('who sleeps while the answer is on its way does not give up for that', () => {
  seconds(20);
  expect(pings).toBe(1);
  sleep(600);
  seconds(5);
  expect([pings, deaths]).toEqual([2, 0]);
  heartbeat.heard();
  seconds(15);
  expect(deaths).toBe(0);
});

test('the timers of a hidden page, once a minute, do not cut what answers, and find what is dead', () => {
  const minute = () => {
    sleep(55);
    seconds(5);
  };
  for (let count = 0; count < 30; count += 1) {
    minute();
    expect(deaths).toBe(0);
    heartbeat.heard();
  }
  for (let count = 0; count < 3; count += 1) minute();
  expect(deaths).toBe(1);
});

test('a clock that is set back is no reason to wait for it', () => {
  vi.setSystemTime(Date.now() - 3_600_000);
  seconds(5);
  expect(pings).toBe(1);
  seconds(5);
  expect(deaths).toBe(1);
});

test('a check asks at once, and several are one', () => {
  seconds(2);
  heartbeat.check();
  heartbeat.check();
  expect(pings).toBe(1);
  seconds(5.1);
  expect(deaths).toBe(1);
});

test('a check shortens a wait that is under way', () => {
  seconds(20);
  expect(pings).toBe(1);
  heartbeat.check();
  expect(pings).toBe(2);
  seconds(5.1);
  expect(deaths).toBe(1);
});
