/** Places for connections: of one gateway, and of several that share a store. */
import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../../../src/event/store-errors.ts';
import { ConnectionLimits, type Place } from '../../../../src/gateway/limits/connection-limits.ts';
import { watchedRecords } from '../../../../src/gateway/limits/limit-records.ts';
import { SILENT } from '../../../../src/gateway/logger.ts';
import type { Records } from '../../../../src/records/records.ts';
import { MemoryRecords } from '../../../../src/stores/memory/records/memory-records.ts';
import { eventually } from '../../../support/eventually.ts';

const NONE = { maxConnections: 0, maxSocketsPerAccount: 0, maxSocketsPerAddress: 0 };
const one = { account: '1', address: '192.0.2.1' };

async function fill(limits: ConnectionLimits, visitor = one, tries = 200): Promise<Place[]> {
  const results = await Promise.allSettled(
    Array.from({ length: tries }, () => limits.enter(visitor)),
  );
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

describe.each([
  ['a gateway by itself', () => undefined],
  ['a gateway over a store', () => new MemoryRecords()],
])('%s', (_what, records) => {
  test.each([
    ['of an account', { maxSocketsPerAccount: 25 }, /^account:1 may have 25/],
    ['from an address', { maxSocketsPerAddress: 25 }, /^address:192.0.2.1 may have 25/],
    ['in all', { maxConnections: 25 }, /^this gateway holds 25 connections/],
  ])('has so many places %s, and again when they are left', async (_which, rule, message) => {
    const limits = new ConnectionLimits({ ...NONE, ...rule }, records());
    const places = await fill(limits);
    expect(places).toHaveLength(25);
    await expect(limits.enter(one)).rejects.toMatchObject({
      code: 'too_many_connections',
      message: expect.stringMatching(message),
      retryAfter: expect.any(Number),
    });
    places[3]!.leave();
    places[3]!.leave();
    expect(await fill(limits)).toHaveLength(1);
    for (const place of places.splice(0)) place.leave();
    expect(await fill(limits)).toHaveLength(24);
    limits.close();
  });

  test('a refusal by one limit uses up nothing of the others', async () => {
    const rules = { maxConnections: 30, maxSocketsPerAddress: 20, maxSocketsPerAccount: 10 };
    const limits = new ConnectionLimits(rules, records());
    expect(await fill(limits)).toHaveLength(10);
    expect(await fill(limits, { account: '2', address: '192.0.2.1' })).toHaveLength(10);
    expect(await fill(limits, { account: '3', address: '192.0.2.1' })).toHaveLength(0);
    expect(await fill(limits, { account: '3', address: '192.0.2.2' })).toHaveLength(10);
    expect(await fill(limits, { account: '4', address: '192.0.2.3' })).toHaveLength(0);
    limits.close();
  });
});

describe('several gateways over one store', () => {
  const rules = { ...NONE, maxSocketsPerAccount: 50 };
  const free = 5;

  test('never give away more than the limit, and a tenth of it each', async () => {
    const records = new MemoryRecords();
    const gateways = [1, 2, 3].map(() => new ConnectionLimits(rules, records));
    const places = (await Promise.all(gateways.map((gateway) => fill(gateway)))).flat();
    expect(places.length).toBeGreaterThanOrEqual(50);
    expect(places.length).toBeLessThanOrEqual(50 + 2 * free);
    for (const place of places) place.leave();
    await eventually(async () => (await records.get('limit:sockets:account:1')) === null);
    expect(await fill(gateways[1]!)).toHaveLength(50);
    for (const gateway of gateways) gateway.close();
  });

  test('what one gives back, another can give away', async () => {
    const records = new MemoryRecords();
    const [first, second] = [1, 2].map(() => new ConnectionLimits(rules, records));
    const places = await fill(first!);
    expect(places).toHaveLength(50);
    expect(await fill(second!)).toHaveLength(free);
    for (const place of places.splice(0, 20)) place.leave();
    // What the second holds without telling counts once it has more than that.
    await eventually(async () => {
      await second!.enter(one);
      const shared = (await records.get('limit:sockets:account:1')) ?? '';
      expect(total(shared)).toBe(50);
    });
    await expect(second!.enter(one)).rejects.toMatchObject({ code: 'too_many_connections' });
    first!.close();
    second!.close();
  });

  test('the count of a gateway that died does not count when it matters', async () => {
    let now = 1_000_000;
    const records = new MemoryRecords({ clock: () => now });
    const dead = new ConnectionLimits(rules, records);
    expect(await fill(dead)).toHaveLength(50);
    // It neither beats nor gives back what it had.
    dead.close();
    const other = new ConnectionLimits(rules, records);
    expect(await fill(other)).toHaveLength(free);
    now += 30_001;
    expect(await fill(other)).toHaveLength(50 - free);
    other.close();
  });

  test('whoever has a few connections costs the store nothing', async () => {
    const limits = new ConnectionLimits(rules, noRecords());
    const places = await Promise.all(Array.from({ length: free }, () => limits.enter(one)));
    for (const place of places) place.leave();
    limits.close();
  });

  test('a store that is away does not keep anybody out: each gateway goes by its own count', async () => {
    const limits = new ConnectionLimits(
      rules,
      noRecords(() => new Unavailable('it is away')),
    );
    const places = await fill(limits);
    expect(places).toHaveLength(50);
    for (const place of places) place.leave();
    await eventually(async () => (await fill(limits)).length === 50);
    limits.close();
  });

  test('a record that others broke is written anew', async () => {
    for (const broken of ['nonsense', '[1,2]', 'null', '{"a":"b","c":-3,"d":1.5}', '7', '']) {
      const records = new MemoryRecords();
      await records.compareAndSet('limit:sockets:account:1', null, broken);
      const limits = new ConnectionLimits(rules, records);
      expect(await fill(limits), broken).toHaveLength(50);
      limits.close();
    }
  });

  test('connections that come and go in any order leave nothing behind', async () => {
    const records = new MemoryRecords();
    const gateways = [1, 2].map(() => new ConnectionLimits(rules, records));
    const open: Place[] = [];
    for (let round = 0; round < 40; round += 1) {
      const gateway = gateways[round % 2]!;
      const came = fill(gateway, one, 7);
      for (const place of open.splice(0, round % 9)) place.leave();
      open.push(...(await came));
      expect(open.length).toBeLessThanOrEqual(50 + 2 * free);
    }
    for (const place of open) place.leave();
    await eventually(async () => (await records.get('limit:sockets:account:1')) === null);
    for (const gateway of gateways) gateway.close();
  });
});

test('that limits are not shared any more is told once, not for each connection', async () => {
  const told: string[] = [];
  const logger = { ...SILENT, warn: (_fields: object, message: string) => told.push(message) };
  const away = noRecords(() => new Unavailable('it is away'));
  const limits = new ConnectionLimits(
    { ...NONE, maxSocketsPerAccount: 50 },
    watchedRecords(away, logger),
  );
  expect(await fill(limits)).toHaveLength(50);
  expect(told).toEqual(['limits are not shared with other gateways for now']);
  limits.close();
});

function total(record: string): number {
  const counts = Object.values(JSON.parse(record === '' ? '{}' : record)) as number[];
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Records that must not be asked, or that fail. */
function noRecords(error = () => new Error('the store was asked')): Records {
  const fail = () => Promise.reject(error());
  return { get: fail, compareAndSet: fail, batch: fail } as unknown as Records;
}
