/** Another token on a live socket: what it changes, what it must not, and races with the clock. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseLogName } from '../../../../src/event/log-name.ts';
import { ownLogs } from '../../../../src/gateway/identity/authorization.ts';
import {
  type Authenticate,
  type Identity,
  Unauthenticated,
} from '../../../../src/gateway/identity/identity.ts';
import { type SceneOptions, scene, settled } from '../fakes.ts';

const ROOM = parseLogName('room:5');
const START = 1_000_000;

interface Asked {
  readonly token: string | null;
  resolve(identity: Identity): Promise<void>;
  reject(error: Error): Promise<void>;
}

let now: number;

beforeEach(() => {
  now = START;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A socket whose token holds for a minute, and who is asked about tokens: the test. */
function asking(identity: Partial<Identity> = {}, options: Omit<SceneOptions, 'access'> = {}) {
  const asked: Asked[] = [];
  const authenticate: Authenticate = ({ headers }) =>
    new Promise((resolve, reject) => {
      asked.push({
        token: headers.get('authorization'),
        resolve(answer) {
          resolve(answer);
          return settled();
        },
        reject(error) {
          reject(error);
          return settled();
        },
      });
    });
  const access = { authenticate, clock: () => now, may: ownLogs('own') };
  const who = { account: '1', expiresAt: START + 60_000, ...identity };
  return Object.assign(scene({}, { ...options, access, identity: who }), { asked });
}

async function pass(milliseconds: number): Promise<void> {
  now += milliseconds;
  vi.advanceTimersByTime(milliseconds);
  await settled();
}

const until = (expiresAt: number, more: Partial<Identity> = {}): Identity => ({
  ...{ account: '1', expiresAt: START + expiresAt },
  ...more,
});

test('another token of the account counts from then on, until it ends', async () => {
  const { asked, say, socket } = asking();
  await pass(50_000);
  say({ op: 'authenticate', ref: 1, token: 'abc' });
  expect(asked.map(({ token }) => token)).toEqual(['Bearer abc']);
  await asked[0]!.resolve(until(120_000));
  expect(socket.told).toEqual([{ op: 'authenticated', ref: 1, account: '1', expiresIn: 70_000 }]);
  await pass(69_999);
  expect(socket.closedWith).toBeUndefined();
  await pass(1);
  expect(socket.closedWith).toEqual({ code: 4401, reason: 'unauthenticated' });
});

test('what is sent behind it waits, and may then be what the new token allows', async () => {
  const { asked, say, socket, live } = asking();
  say({ op: 'authenticate', ref: 1, token: 'a' });
  say({ op: 'subscribe', ref: 2, log: ROOM });
  say({ op: 'authenticate', ref: 3, token: 'b' });
  say({ op: 'subscribe', ref: 4, log: 'room:6' });
  await settled();
  expect([asked.length, socket.isReading, socket.told]).toEqual([1, false, []]);
  await asked[0]!.resolve(until(120_000, { claims: { logs: [ROOM] } }));
  expect(live.of(ROOM).calls).toEqual([]);
  await asked[1]!.reject(new Unauthenticated('not that one'));
  expect(socket.told).toMatchObject([
    { op: 'authenticated', ref: 1 },
    { op: 'error', ref: 3, code: 'unauthenticated', message: 'not that one' },
    { op: 'error', ref: 4, code: 'forbidden', log: 'room:6' },
  ]);
  expect(socket.isReading).toBe(true);
});

test('what it does not allow any more is not followed any more', async () => {
  const { asked, say, socket, live } = asking({ claims: { logs: [ROOM] } });
  say({ op: 'subscribe', log: ROOM });
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await asked[0]!.resolve(until(120_000));
  expect(socket.told).toMatchObject([
    { op: 'error', log: ROOM, code: 'forbidden', message: 'account 1 may not read room:5' },
    { op: 'authenticated', ref: 1 },
  ]);
  expect(live.of(ROOM).calls).toEqual(['close']);
  expect(live.of('account:1').calls).toEqual([]);
});

test('appends are those of the new identity', async () => {
  const { asked, say, socket, log } = asking();
  const events = [{ type: 'A', payload: 1 }];
  say({ op: 'append', ref: 1, log: ROOM, events });
  say({ op: 'authenticate', token: 'a' });
  say({ op: 'append', ref: 2, log: ROOM, events });
  await asked[0]!.resolve(until(120_000, { claims: { append: ['room:*'] } }));
  expect(socket.told).toMatchObject([
    { op: 'error', ref: 1, code: 'forbidden' },
    { op: 'authenticated' },
  ]);
  expect(log.pending.map((append) => append.log)).toEqual([ROOM]);
});

test.each([
  ['of another account', until(120_000, { account: '2' }), 'forbidden'],
  ['that is over', until(0), 'unauthenticated'],
])('a token %s changes nothing', async (_what, identity, code) => {
  const { asked, say, socket } = asking();
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await asked[0]!.resolve(identity);
  expect(socket.told).toMatchObject([{ op: 'error', ref: 1, code }]);
  expect(socket.closedWith).toBeUndefined();
  await pass(60_000);
  expect(socket.closedWith).toEqual({ code: 4401, reason: 'unauthenticated' });
});

test('an admin on the socket of somebody else stays one', async () => {
  const admin = { account: 'root', claims: { admin: true } };
  const { asked, say, socket } = asking(admin);
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await asked[0]!.resolve(until(120_000, { account: 'root' }));
  say({ op: 'authenticate', ref: 2, token: 'b' });
  await asked[1]!.resolve(until(120_000, admin));
  expect(socket.told).toMatchObject([
    { op: 'error', ref: 1, code: 'forbidden' },
    { op: 'authenticated', ref: 2, account: '1' },
  ]);
});

test('while a token is looked at, the time of the one before may end', async () => {
  const { asked, say, socket } = asking();
  await pass(59_000);
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await pass(5_000);
  expect(socket.closedWith).toBeUndefined();
  await asked[0]!.resolve(until(120_000));
  expect(socket.told).toMatchObject([{ op: 'authenticated', expiresIn: 56_000 }]);
  await pass(55_000);
  expect(socket.closedWith).toBeUndefined();
  await pass(1_000);
  expect(socket.closedWith).toEqual({ code: 4401, reason: 'unauthenticated' });
});

test('when it is none, the socket ends then', async () => {
  const { asked, say, socket } = asking();
  await pass(59_000);
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await pass(5_000);
  await asked[0]!.reject(new Unauthenticated('not that one'));
  expect(socket.told).toMatchObject([
    { op: 'error', ref: 1, code: 'unauthenticated', message: 'not that one' },
    { op: 'error', code: 'unauthenticated', message: /has expired/ },
  ]);
  expect(socket.closedWith).toEqual({ code: 4401, reason: 'unauthenticated' });
});

test('nobody can hold a socket open by a token that is looked at without end', async () => {
  const { asked, say, socket } = asking();
  await pass(59_000);
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await pass(9_999);
  expect(socket.closedWith).toBeUndefined();
  await pass(1);
  expect(socket.told).toMatchObject([
    { op: 'error', ref: 1, code: 'keys_unavailable' },
    { op: 'error', code: 'unauthenticated' },
  ]);
  expect(socket.closedWith).toEqual({ code: 4401, reason: 'unauthenticated' });
  // What comes too late changes nothing.
  await asked[0]!.resolve(until(120_000));
  expect(socket.told).toHaveLength(2);
});

test('a socket that has gone meanwhile is told nothing', async () => {
  const { asked, say, socket, session } = asking();
  say({ op: 'authenticate', ref: 1, token: 'a' });
  session.closed();
  await asked[0]!.resolve(until(120_000));
  await pass(120_000);
  expect([socket.told, socket.closedWith]).toEqual([[], undefined]);
});

test('a session is renewed by the gateway itself', async () => {
  const { asked, say, socket } = asking({ session: 'abc' });
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await settled();
  expect(socket.told).toMatchObject([{ op: 'error', code: 'forbidden', message: /session/ }]);
  expect(asked).toEqual([]);
});

test('an open gateway has nobody to be', async () => {
  const { say, socket } = scene();
  say({ op: 'authenticate', ref: 1, token: 'a' });
  await settled();
  expect(socket.told).toMatchObject([{ op: 'error', ref: 1, code: 'forbidden' }]);
});

test('a text that no header can carry is no token', async () => {
  const { asked, say, socket } = asking();
  for (const token of ['a\nb', 'ключ']) {
    say({ op: 'authenticate', token });
    await settled();
  }
  const refused = { op: 'error', code: 'unauthenticated' };
  expect(socket.told).toMatchObject([refused, refused]);
  expect(asked).toEqual([]);
});
