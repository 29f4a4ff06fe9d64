/** Accounts, tickets, sessions and shared limits; then somebody does something by hand. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Accounts, createAccounts } from '../../../src/accounts/accounts.ts';
import { cookieSession } from '../../../src/gateway/identity/cookie-session.ts';
import { Tickets } from '../../../src/gateway/identity/tickets.ts';
import { Presence } from '../../../src/gateway/limits/presence.ts';
import { SharedAppendRate } from '../../../src/gateway/limits/shared-append-rate.ts';
import { SharedPlaces } from '../../../src/gateway/limits/shared-places.ts';
import { openStore, type Store } from '../../../src/stores/open.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { copyOf, doByHand, keep } from './deeds.ts';
import { RECORD_ROWS, type Row } from './rows.ts';

let server: RedisServer;
let redis: Redis;
let store: Store;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url());
  store = await openStore(server.url());
});

afterAll(async () => {
  await store.close();
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

function accountsAt(now: number): Accounts {
  const accounts = createAccounts({ ...store, clock: () => now, sweepInterval: 0 });
  onTestFinished(() => accounts.stop());
  return accounts;
}

const HAN = 'han@example.org';
const NOW = 1_700_000_000_000;
const LATER = NOW + 3_600_000;

type Check = (row: Row) => Promise<void>;

const checks: Record<string, Check> = {
  async account_id({ key, deed, then }) {
    const accounts = accountsAt(NOW);
    await accounts.register({ email: HAN });
    const dump = await redis.dumpBuffer(key);
    for (const email of ['a@example.org', 'b@example.org']) await accounts.register({ email });
    await keep(redis, key);
    await doByHand(redis, deed, key, dump);
    if (then === 'says') {
      await expect(accounts.register({ email: 'c@example.org' })).rejects.toMatchObject({
        code: 'wrong_type',
        message: expect.stringContaining(key),
      });
      await redis.rename(copyOf(key), key);
    }
    // Numbers that are in use are passed over.
    expect(await accounts.register({ email: 'c@example.org' })).toMatchObject({ id: '4' });
    expect(await accounts.findByEmail('a@example.org')).toMatchObject({ id: '2' });
  },

  async [`email:${HAN}`]({ key, deed, then }) {
    const accounts = accountsAt(NOW);
    const { id } = await accounts.register({ email: HAN });
    const dump = await redis.dumpBuffer(key);
    if (deed === 'RESTORE') await accounts.changeEmail(id, 'new@example.org');
    await doByHand(redis, deed, key, dump);
    await stillUnique(accounts, deed);
    if (deed !== 'RESTORE') {
      expect(await accounts.findByEmail(HAN)).toEqual({ id, email: HAN, status: 'open' });
      await accounts.changeEmail(id, 'new@example.org');
    }
    if (then === 'says') {
      // Whoever put it there: nobody gets an address that somebody may have, until it is removed.
      await expect(accounts.register({ email: HAN })).rejects.toMatchObject({
        code: 'address_taken',
      });
      await redis.del(key);
    }
    await getsIt(accounts);
  },

  async [`{email:${HAN}}:reservation`]({ key, deed }) {
    const accounts = accountsAt(NOW);
    const { id } = await accounts.register({ email: HAN });
    const dump = await redis.dumpBuffer(key);
    if (deed === 'RESTORE') await accounts.changeEmail(id, 'new@example.org');
    await keep(redis, key);
    await doByHand(redis, deed, key, dump);
    const refused = { code: deed === 'SET' ? 'wrong_type' : 'address_taken' };
    await expect(accounts.register({ email: HAN })).rejects.toMatchObject(refused);
    if (deed === 'SET') {
      await expect(accounts.changeEmail(id, 'new@example.org')).rejects.toMatchObject({
        code: 'wrong_type',
        message: expect.stringContaining(key),
      });
      await redis.rename(copyOf(key), key);
    }
    if (deed !== 'RESTORE') await accounts.changeEmail(id, 'new@example.org');
    expect(await accounts.findByEmail('new@example.org')).toMatchObject({ id });
    // Once it is seen that the account has another address, both keys can go.
    await redis.del(key, `email:${HAN}`);
    await getsIt(accounts);
  },

  async 'open_reservations:7'({ deed, then }) {
    const keys = Array.from({ length: 64 }, (_, number) => `open_reservations:${number}`);
    // One that breaks off before its event is in the log.
    const broken = createAccounts({
      log: new Proxy(store.log, {
        get: (target, name) => {
          if (name === 'append') return () => new Promise<never>(() => {});
          const value = Reflect.get(target, name) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
      records: store.records,
      clock: () => NOW,
      sweepInterval: 0,
    });
    void broken.register({ email: HAN }).catch(() => {});
    const listed = async () => {
      for (const key of keys) if ((await redis.exists(key)) === 1) return key;
      return undefined;
    };
    let key = await listed();
    while (key === undefined || (await redis.exists(`{email:${HAN}}:reservation`)) === 0) {
      key = await listed();
    }
    const dump = await redis.dumpBuffer(key);
    await doByHand(redis, deed, key, dump);
    const accounts = accountsAt(LATER);
    if (then === 'says') {
      await expect(accounts.sweep()).rejects.toMatchObject({
        code: 'wrong_type',
        message: expect.stringContaining(key),
      });
      await redis.del(key);
    }
    // The reservation itself says when it is overdue.
    await getsIt(accounts);
    await accounts.sweep();
    await stillUnique(accounts, deed);
  },

  async 'ticket:<hash>'({ deed }) {
    const tickets = new Tickets(store.records);
    const { ticket } = await tickets.issue({ account: '1' });
    const [key] = await redis.keys('ticket:*');
    await doByHand(redis, deed, key!, null);
    await expect(tickets.use(ticket)).rejects.toMatchObject({ code: 'unauthenticated' });
  },

  async 'session:<id>'({ deed }) {
    const key = 'session:abc';
    await redis.set(key, '1');
    const session = cookieSession({ records: store.records });
    const headers = { cookie: 'session=abc' };
    const request = new Request('http://localhost/', { headers });
    const identity = await session(request);
    expect(identity).toMatchObject({ account: '1' });
    await doByHand(redis, deed, key, null);
    await expect(session(request)).rejects.toMatchObject({ code: 'unauthenticated' });
  },

  async 'limit:appends:1'({ key, deed }) {
    const rule = { rate: 10, burst: 20 };
    let now = NOW;
    const rates = [1, 2].map(() => new SharedAppendRate(store.records, rule, () => now));
    const spend = async (): Promise<number> => {
      let spent = 0;
      for (let round = 0; round < 30; round += 1) {
        for (const rate of rates) {
          const append = async () => {
            spent += 1;
          };
          await rate.spend('1', append).catch(() => {});
        }
      }
      return spent;
    };
    await spend();
    const dump = await redis.dumpBuffer(key);
    now += 1_000;
    await spend();
    await doByHand(redis, deed, key, dump);
    // At most a full bucket more, once; then as before.
    now += 1_000;
    expect(await spend()).toBeLessThanOrEqual(rule.burst + rule.rate + 2);
    now += 1_000;
    const after = await spend();
    expect(after).toBeGreaterThanOrEqual(rule.rate - 2);
    expect(after).toBeLessThanOrEqual(rule.rate + 2);
  },

  async 'limit:sockets:account:1'({ key, deed }) {
    const most = 20;
    const presences = [new Presence(store.records), new Presence(store.records)];
    const [one, two] = presences.map((presence) => new SharedPlaces(store.records, presence, most));
    for (const presence of presences) onTestFinished(() => presence.stop());
    const take = async (places: SharedPlaces, count: number) => {
      let taken = 0;
      for (let each = 0; each < count; each += 1) {
        if (await places.take('account:1')) taken += 1;
      }
      return taken;
    };
    await take(one!, 4);
    await take(two!, 4);
    const dump = await redis.dumpBuffer(key);
    await take(one!, 4);
    await take(two!, 4);
    await doByHand(redis, deed, key, dump);
    // Each says again how many it has with the next that comes or goes.
    expect(await take(one!, 1)).toBe(1);
    expect(await take(two!, 1)).toBe(1);
    expect((await take(one!, 10)) + (await take(two!, 10))).toBe(2);
  },

  async 'gateway:<gateway>'({ deed }) {
    const presence = new Presence(store.records);
    onTestFinished(() => presence.stop());
    await presence.start();
    const other = new Presence(store.records);
    await doByHand(redis, deed, `gateway:${presence.id}`, null);
    // It counts as dead at most until it says again that it lives.
    const again = new Presence(store.records);
    Object.defineProperty(again, 'id', { value: presence.id });
    await again.start();
    onTestFinished(() => again.stop());
    expect(await other.living([presence.id])).toEqual(new Set([presence.id]));
    expect(await redis.pttl(`gateway:${presence.id}`)).toBeGreaterThan(0);
  },
};

async function stillUnique(accounts: Accounts, deed: string): Promise<void> {
  const email = `other-${deed.toLowerCase()}@example.org`;
  const { id } = await accounts.register({ email });
  await expect(accounts.changeEmail(id, HAN)).rejects.toMatchObject({ code: 'address_taken' });
}

async function getsIt(accounts: Accounts): Promise<void> {
  const { id } = await accounts.register({ email: HAN });
  expect(await accounts.findByEmail(HAN)).toMatchObject({ id });
}

describe('records, when somebody does by hand', () => {
  test.each(RECORD_ROWS)('$key: $deed', async (row) => {
    await redis.flushall();
    await checks[row.key]!(row);
  });
});
