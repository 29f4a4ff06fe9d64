import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Tokens } from '../../../../src/client/connection/token.ts';
import { handmade } from '../../../e2e/tokens.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const tokenOf = (sub: unknown, seconds: number, more = {}) =>
  handmade({ alg: 'HS256' }, { sub, exp: Math.floor(Date.now() / 1_000) + seconds, ...more });
const minutes = (count: number) => vi.advanceTimersByTime(count * 60_000);

test('a token is used until shortly before it expires, and by all who ask at the same time', async () => {
  const ask = vi.fn(async () => tokenOf('1', 900));
  const tokens = new Tokens(ask, () => '1');
  const [first, same] = await Promise.all([tokens.current(), tokens.current()]);
  expect(same).toBe(first);
  minutes(14);
  expect(await tokens.current()).toBe(first);
  expect(ask).toHaveBeenCalledTimes(1);
  minutes(1);
  expect(await tokens.current()).not.toBe(first);
  tokens.drop();
  await tokens.current();
  expect(ask).toHaveBeenCalledTimes(3);
  expect(tokens.account).toBe('1');
});

test('where the clock of the device is wrong, it is not asked for with every request', async () => {
  const ask = vi.fn(() => tokenOf('1', -3_600));
  const tokens = new Tokens(ask, () => undefined);
  await tokens.current();
  await tokens.current();
  expect(ask).toHaveBeenCalledTimes(1);
});

test('one that is no JSON Web Token is used as well', async () => {
  expect(
    await new Tokens(
      () => 'opaque',
      () => '1',
    ).current(),
  ).toBe('opaque');
});

test('nothing is kept of a failure, and its reason is told', async () => {
  const ask = vi.fn<() => Promise<string>>();
  ask.mockRejectedValueOnce(new Error('signed out'));
  ask.mockResolvedValueOnce(tokenOf('1', 900));
  const tokens = new Tokens(ask, () => '1');
  await expect(tokens.current()).rejects.toMatchObject({
    code: 'unavailable',
    message: 'no token was given: signed out',
  });
  expect(await tokens.current()).toContain('.');
});

test.each([
  ['2', {}, 'forbidden'],
  [2, {}, 'forbidden'],
  ['2', { admin: true }, undefined],
  [1, {}, undefined],
])('a token of %j with %j for account 1', async (sub, claims, code) => {
  const asked = new Tokens(
    () => tokenOf(sub, 900, claims),
    () => '1',
  ).current();
  if (code === undefined) await asked;
  else await expect(asked).rejects.toMatchObject({ code });
});
