import assert from 'node:assert/strict';
import type { RecordsSuite } from './records-under-test.ts';

export function compareAndSetTests(suite: RecordsSuite): void {
  suite.topic('compare and set', () => {
    suite.it('makes, changes and removes a record', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      assert.equal(await records.get(key), null);
      assert.deepEqual(await records.compareAndSet(key, null, 'one'), { swapped: true });
      assert.equal(await records.get(key), 'one');
      assert.deepEqual(await records.compareAndSet(key, 'one', 'two'), { swapped: true });
      assert.equal(await records.get(key), 'two');
      assert.deepEqual(await records.compareAndSet(key, 'two', null), { swapped: true });
      assert.equal(await records.get(key), null);
    });

    suite.it('says what the record is when it refuses', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      assert.deepEqual(await records.compareAndSet(key, 'x', 'y'), {
        swapped: false,
        actual: null,
      });
      await records.compareAndSet(key, null, 'one');
      const refused = { swapped: false, actual: 'one' };
      assert.deepEqual(await records.compareAndSet(key, null, 'two'), refused);
      assert.deepEqual(await records.compareAndSet(key, 'ONE', 'two'), refused);
      assert.deepEqual(await records.compareAndSet(key, 'two', null), refused);
      assert.equal(await records.get(key), 'one');
    });

    suite.it('tells an empty record from none', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      assert.deepEqual(await records.compareAndSet(key, '', 'x'), { swapped: false, actual: null });
      await records.compareAndSet(key, null, '');
      assert.equal(await records.get(key), '');
      assert.deepEqual(await records.compareAndSet(key, null, 'x'), { swapped: false, actual: '' });
      assert.deepEqual(await records.compareAndSet(key, '', 'x'), { swapped: true });
    });

    suite.it('keeps keys and values as they are', async ({ open, newKey }) => {
      const records = await open();
      const values = [
        'ä 🎉 \0 \r\n " {',
        '\uFEFFa byte order mark',
        '0',
        '-1',
        'null',
        'x'.repeat(100_000),
      ];
      for (const value of values) {
        const key = `${newKey()}:{ö} \n ${'k'.repeat(500)}`;
        await records.compareAndSet(key, null, value);
        assert.equal(await records.get(key), value);
        assert.equal(await records.get(key.toUpperCase()), null);
      }
    });

    suite.it('lets one of many win', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      const racers = Array.from({ length: 50 }, (_, racer) => String(racer));
      const outcomes = await Promise.all(
        racers.map((racer) => records.compareAndSet(key, null, racer)),
      );
      const winners = racers.filter((_, index) => outcomes[index]!.swapped);
      assert.equal(winners.length, 1);
      assert.equal(await records.get(key), winners[0]);
      for (const outcome of outcomes) {
        if (!outcome.swapped) assert.equal(outcome.actual, winners[0]);
      }
    });

    suite.with(['shared'], 'lets one of many win, from several', async ({ open, newKey }) => {
      const stores = await Promise.all([open(), open(), open()]);
      const key = newKey();
      // Each adds its letter as often as it can; no change may get lost.
      const add = async (index: number): Promise<void> => {
        for (let count = 0; count < 20; ) {
          const before = await stores[index]!.get(key);
          const swap = stores[index]!.compareAndSet(key, before, (before ?? '') + index);
          if ((await swap).swapped) count += 1;
        }
      };
      await Promise.all(stores.map((_, index) => add(index)));
      const text = (await stores[0]!.get(key)) ?? '';
      assert.equal([...text].sort().join(''), '0'.repeat(20) + '1'.repeat(20) + '2'.repeat(20));
    });

    suite.with(['lasting'], 'keeps it when it is opened again', async ({ open, newKey }) => {
      const key = newKey();
      const first = await open();
      await first.compareAndSet(key, null, 'kept');
      await first.close();
      assert.equal(await (await open()).get(key), 'kept');
    });

    suite.it('refuses what cannot be a key or a value', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      const invalid = { code: 'invalid_input' };
      await assert.rejects(records.get(''), invalid);
      await assert.rejects(records.get('\ud800'), invalid);
      await assert.rejects(records.get('k'.repeat(1_025)), { code: 'too_large', field: 'key' });
      await assert.rejects(records.get(undefined as unknown as string), invalid);
      await assert.rejects(records.compareAndSet(key, null, '\udc00'), invalid);
      await assert.rejects(records.compareAndSet(key, null, 1 as unknown as string), invalid);
      const nothing = undefined as unknown as null;
      await assert.rejects(records.compareAndSet(key, nothing, 'x'), { field: 'expected' });
      await assert.rejects(records.compareAndSet(key, null, nothing), { field: 'value' });
      assert.equal(await records.get(key), null);
    });
  });
}
