import assert from 'node:assert/strict';
import type { RecordsSuite } from './records-under-test.ts';

const SHORT = 400;
const LONG = 3_600_000;

export function leaseTests(suite: RecordsSuite): void {
  suite.topic('a lease', () => {
    suite.it('belongs to one of many', async ({ open, newKey }) => {
      const records = await open();
      const name = newKey();
      const racers = Array.from({ length: 20 }, () => records.lease(name, { timeToLive: LONG }));
      const leases = (await Promise.all(racers)).filter((lease) => lease !== undefined);
      assert.equal(leases.length, 1);
      assert.equal(leases[0]!.name, name);
      assert.equal(await records.lease(name, { timeToLive: LONG }), undefined);
      assert.notEqual(await records.lease(newKey(), { timeToLive: LONG }), undefined);
    });

    suite.it('has a token that only grows', async ({ open, pass, newKey }) => {
      const records = await open();
      const name = newKey();
      const first = await records.lease(name, { timeToLive: LONG });
      await first!.release();
      const second = await records.lease(name, { timeToLive: SHORT });
      assert.ok(second!.token > first!.token, 'after it was released');
      await pass(SHORT);
      const third = await records.lease(name, { timeToLive: LONG });
      assert.ok(third!.token > second!.token, 'after its time');
    });

    suite.with(['lasting'], 'has a token that grows over restarts', async ({ open, newKey }) => {
      const name = newKey();
      const before = await open();
      const first = await before.lease(name, { timeToLive: LONG });
      await before.close();
      const records = await open();
      assert.equal(await records.lease(name, { timeToLive: LONG }), undefined);
      await records.compareAndSet(`lease:${name}`, String(first!.token), null);
      const second = await records.lease(name, { timeToLive: LONG });
      assert.ok(second!.token > first!.token);
    });

    suite.it('can be renewed', async ({ open, pass, newKey }) => {
      const records = await open();
      const name = newKey();
      const lease = await records.lease(name, { timeToLive: 2 * SHORT });
      await pass(1.25 * SHORT);
      assert.equal(await lease!.renew(), true);
      await pass(1.25 * SHORT);
      assert.equal(await records.lease(name, { timeToLive: LONG }), undefined);
      await pass(SHORT);
      assert.notEqual(await records.lease(name, { timeToLive: LONG }), undefined);
    });

    suite.it(
      'cannot be renewed or released over its next holder',
      async ({ open, pass, newKey }) => {
        const records = await open();
        const name = newKey();
        const late = await records.lease(name, { timeToLive: SHORT });
        await pass(SHORT);
        assert.equal(await late!.renew(), true, 'nobody has taken it');
        await pass(SHORT);
        await records.lease(name, { timeToLive: LONG });
        assert.equal(await late!.renew(), false);
        await late!.release();
        assert.equal(await records.lease(name, { timeToLive: LONG }), undefined);
      },
    );

    suite.it('is not renewed after its release', async ({ open, newKey }) => {
      const records = await open();
      const name = newKey();
      const lease = await records.lease(name, { timeToLive: LONG });
      await lease!.release();
      await lease!.release();
      assert.equal(await lease!.renew(), false);
      assert.notEqual(await records.lease(name, { timeToLive: LONG }), undefined);
    });

    suite.it('fences batches of earlier holders off', async ({ open, pass, newKey }) => {
      const records = await open();
      const [name, key] = [newKey(), newKey()];
      const first = await records.lease(name, { timeToLive: SHORT });
      const write = (value: string, fence: { name: string; token: number }) =>
        records.batch([{ key, value }], { fence });
      assert.deepEqual(await write('first', first!), { committed: true, counts: [] });
      await pass(SHORT);
      const second = await records.lease(name, { timeToLive: LONG });
      assert.deepEqual(await write('late', first!), { committed: false, reason: 'fenced' });
      assert.equal(await records.get(key), 'first');
      assert.deepEqual(await write('second', second!), { committed: true, counts: [] });
      const conflict = await records.batch([{ key, expected: 'first' }], { fence: second! });
      const changed = { committed: false, reason: 'changed', key, actual: 'second' };
      assert.deepEqual(conflict, changed);
      const invented = { name, token: second!.token + 1 };
      assert.deepEqual(await write('x', invented), { committed: false, reason: 'fenced' });
      await assert.rejects(write('x', { name, token: 0 }), { field: 'fence.token' });
    });

    suite.it('has a name of few characters', async ({ open }) => {
      const records = await open();
      for (const name of ['', 'a b', 'ä', '{x}', 'x'.repeat(129)]) {
        await assert.rejects(records.lease(name, { timeToLive: LONG }), { field: 'name' });
      }
    });
  });
}
