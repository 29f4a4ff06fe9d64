import assert from 'node:assert/strict';
import type { RecordsSuite } from './records-under-test.ts';

/** Long enough not to end by itself in a slow test, short enough to wait for. */
const SHORT = 400;
const LONG = 3_600_000;

export function timeToLiveTests(suite: RecordsSuite): void {
  suite.topic('times to live', () => {
    suite.it('ends a record', async ({ open, pass, newKey }) => {
      const records = await open();
      const key = newKey();
      await records.compareAndSet(key, null, 'short', { timeToLive: SHORT });
      assert.equal(await records.get(key), 'short');
      await pass(SHORT);
      assert.equal(await records.get(key), null);
      const refused = { swapped: false, actual: null };
      assert.deepEqual(await records.compareAndSet(key, 'short', 'x'), refused);
      assert.deepEqual(await records.compareAndSet(key, null, 'anew'), { swapped: true });
      await pass(SHORT);
      assert.equal(await records.get(key), 'anew');
    });

    suite.it('is replaced by the next value', async ({ open, pass, newKey }) => {
      const records = await open();
      const [longer, stays, shorter] = [newKey(), newKey(), newKey()];
      for (const key of [longer, stays]) {
        await records.compareAndSet(key, null, 'a', { timeToLive: SHORT });
      }
      await records.compareAndSet(shorter, null, 'a');
      await records.compareAndSet(longer, 'a', 'b', { timeToLive: LONG });
      await records.compareAndSet(stays, 'a', 'b');
      await records.compareAndSet(shorter, 'a', 'b', { timeToLive: SHORT });
      await pass(SHORT);
      assert.equal(await records.get(longer), 'b');
      assert.equal(await records.get(stays), 'b');
      assert.equal(await records.get(shorter), null);
    });

    suite.it('is neither lost nor prolonged by looking', async ({ open, pass, newKey }) => {
      const records = await open();
      const key = newKey();
      await records.compareAndSet(key, null, 'a', { timeToLive: SHORT });
      await records.batch([{ key, expected: 'a' }]);
      await pass(SHORT);
      assert.equal(await records.get(key), null);
    });

    suite.it('of a count starts with the first', async ({ open, pass, newKey }) => {
      const records = await open();
      const [window, plain] = [newKey(), newKey()];
      assert.equal(await records.increment(window, { timeToLive: SHORT }), 1);
      assert.equal(await records.increment(window, { timeToLive: LONG }), 2);
      await records.compareAndSet(plain, null, '5');
      assert.equal(await records.increment(plain, { timeToLive: SHORT }), 6);
      await pass(SHORT);
      assert.equal(await records.increment(window, { timeToLive: SHORT }), 1);
      assert.equal(await records.get(plain), '6');
    });

    suite.with(['lasting'], 'goes on when it is opened again', async ({ open, pass, newKey }) => {
      const [short, long] = [newKey(), newKey()];
      const first = await open();
      await first.compareAndSet(short, null, 'a', { timeToLive: SHORT });
      await first.compareAndSet(long, null, 'a', { timeToLive: LONG });
      await first.close();
      await pass(SHORT);
      const second = await open();
      assert.equal(await second.get(short), null);
      assert.equal(await second.get(long), 'a');
    });

    suite.with(['kept'], 'frees the room, bit by bit', async ({ open, pass, newKey, kept }) => {
      const records = await open();
      const keys = Array.from({ length: 40 }, newKey);
      for (const key of keys) await records.compareAndSet(key, null, 'a', { timeToLive: SHORT });
      const stays = newKey();
      await records.compareAndSet(stays, null, '0', { timeToLive: LONG });
      assert.equal(kept(records), 41);
      await pass(SHORT);
      for (let round = 0; round < 60; round += 1) {
        await records.compareAndSet(stays, String(round), String(round + 1), { timeToLive: LONG });
      }
      assert.equal(kept(records), 1);
      assert.equal(await records.get(stays), '60');
    });

    suite.it('is a whole number of milliseconds', async ({ open, newKey }) => {
      const records = await open();
      for (const timeToLive of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        const life = { timeToLive };
        const set = records.compareAndSet(newKey(), null, 'a', life);
        await assert.rejects(set, { code: 'invalid_input' });
        await assert.rejects(records.lease('name', life), { code: 'invalid_input' });
      }
    });
  });
}
