/** Limits that hold over two gateways of one Redis, also when one of them dies. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createAccounts } from '../../src/accounts/accounts.ts';
import type { GatewayLimits } from '../../src/gateway/limits/limits.ts';
import type { Records } from '../../src/records/records.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { RedisRecords } from '../../src/stores/redis/records/redis-records.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Client, type RunningGateway, startGateway } from './gateway-client.ts';

let redis: RedisServer;
const gateways: RunningGateway[] = [];
const opened: Records[] = [];
const clients: Client[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(() => redis[Symbol.asyncDispose]());

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  for (const gateway of gateways.splice(0)) await gateway.stop();
  for (const records of opened.splice(0)) await records.close();
});

async function start(limits: Partial<GatewayLimits>): Promise<RunningGateway> {
  const sharedLimits = await RedisRecords.open(redis.url());
  opened.push(sharedLimits);
  const log = await RedisLog.open(redis.url());
  const accounts = createAccounts({ log, records: sharedLimits, sweepInterval: 0 });
  const gateway = await startGateway({ log, sharedLimits, limits, accounts });
  gateways.push(gateway);
  return gateway;
}

async function open(gateway: RunningGateway, account: string): Promise<Client | undefined> {
  try {
    const client = await Client.open(`${gateway.socketUrl}/ws/${account}?format=json&after=now`);
    clients.push(client);
    return client;
  } catch {
    return undefined;
  }
}

test('appends of one account: two gateways let through what one would, and a slice each', async () => {
  const limits = { appendRate: 100, appendBurst: 200 };
  const both = [await start(limits), await start(limits)];
  const account = randomId();
  const sockets = await Promise.all(both.map((gateway) => open(gateway, account)));
  const began = performance.now();
  let sent = 0;
  let answered = 0;
  let appended = 0;
  let last = began;
  for (const client of sockets) {
    client!.socket.on('message', (data) => {
      const { op, code } = JSON.parse(String(data));
      if (op === 'error') expect(code).toBe('rate_limited');
      if (op === 'appended') {
        appended += 1;
        last = performance.now();
      }
      if (op === 'appended' || op === 'error') answered += 1;
    });
  }
  // Far more than allowed, through both at once, for about two seconds.
  while (performance.now() - began < 2_000) {
    for (const client of sockets) {
      for (let each = 0; each < 40; each += 1) {
        client!.send({ op: 'append', ref: sent, events: [{ type: 'T', payload: sent }] });
        sent += 1;
      }
    }
    await eventually(() => answered >= sent - 80);
  }
  await eventually(() => answered === sent);
  const allowed = 200 + ((last - began) / 1_000) * 100;
  expect(appended).toBeLessThanOrEqual(allowed + 2 * 10 + 1);
  // Not less than one gateway would, as far as a busy machine asks in time.
  expect(appended).toBeGreaterThan(250);
  expect(sent).toBeGreaterThan(appended * 1.5);
});

test('registrations from one address: two gateways let through what one would, and one each', async () => {
  const limits = { registrationRate: 6 };
  const both = [await start(limits), await start(limits)];
  const register = async ({ url }: RunningGateway) => {
    const body = JSON.stringify({ email: `${randomId()}@example.org` });
    return (await fetch(`${url}/accounts`, { method: 'POST', body })).status;
  };
  const statuses: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    for (const gateway of both) statuses.push(await register(gateway));
  }
  const registered = statuses.filter((status) => status === 201).length;
  expect(new Set(statuses)).toEqual(new Set([201, 429]));
  expect(registered).toBeGreaterThanOrEqual(6);
  expect(registered).toBeLessThanOrEqual(6 + both.length);
  // Who comes later finds what is left: nothing but its own first one.
  const third = await start(limits);
  await register(third);
  expect(await register(third)).toBe(429);
});

test('sockets of one account: never more than the limit and a tenth for each gateway', async () => {
  const limits = { maxSocketsPerAccount: 20 };
  const [first, second] = [await start(limits), await start(limits)];
  const account = randomId();
  const fill = async (gateway: RunningGateway) => {
    const all = await Promise.all(Array.from({ length: 30 }, () => open(gateway, account)));
    return all.filter((client) => client !== undefined);
  };
  const held = await fill(first);
  expect(held).toHaveLength(20);
  expect(await fill(second)).toHaveLength(2);
  // Released in one, free in the other.
  await Promise.all(held.splice(0, 12).map((client) => client.close()));
  await eventually(async () => (await open(second, account)) !== undefined);
  expect((await fill(second)).length).toBeGreaterThanOrEqual(8);
  expect(await open(second, account)).toBeUndefined();
});

test('the sockets of a gateway that died do not count for long', async () => {
  const limits = { maxSocketsPerAccount: 20 };
  const [dying, other] = [await start(limits), await start(limits)];
  const account = randomId();
  for (let count = 0; count < 20; count += 1) await open(dying, account);
  for (let count = 0; count < 2; count += 1) await open(other, account);
  expect(await open(other, account)).toBeUndefined();
  // It dies: nothing of it reaches Redis any more, and the time to live of its sign of life ends.
  const records = opened[0]!;
  await records.close();
  const killer = await RedisRecords.open(redis.url());
  opened.push(killer);
  const key = `limit:sockets:account:${account}`;
  const [id] = Object.entries(JSON.parse((await killer.get(key))!) as Record<string, number>).find(
    ([, count]) => count === 20,
  )!;
  await killer.batch([{ key: `gateway:${id}`, value: null }]);
  for (let count = 2; count < 20; count += 1) {
    expect(await open(other, account), `socket ${count}`).toBeDefined();
  }
  expect(await open(other, account)).toBeUndefined();
});
