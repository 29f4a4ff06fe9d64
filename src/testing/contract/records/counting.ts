import assert from 'node:assert/strict';
import type { RecordsSuite } from './records-under-test.ts';

export function countingTests(suite: RecordsSuite): void {
  suite.topic('counting', () => {
    suite.it('counts from zero, up and down', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      assert.equal(await records.increment(key), 1);
      assert.equal(await records.increment(key, { by: 41 }), 42);
      assert.equal(await records.increment(key, { by: -50 }), -8);
      assert.equal(await records.increment(key, { by: 8 }), 0);
      assert.equal(await records.get(key), '0');
    });

    suite.it('gives everybody another number', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      const numbers = await Promise.all(Array.from({ length: 50 }, () => records.increment(key)));
      assert.deepEqual(
        numbers.toSorted((a, b) => a - b),
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
    });

    suite.it('counts on from a record that is a whole number', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      await records.compareAndSet(key, null, '41');
      assert.equal(await records.increment(key), 42);
    });

    suite.it('does not count what is no whole number', async ({ open, newKey }) => {
      const records = await open();
      for (const value of [
        '',
        'x',
        '1.5',
        '007',
        '+1',
        ' 1',
        '1e3',
        '-0',
        '99999999999999999999',
      ]) {
        const key = newKey();
        await records.compareAndSet(key, null, value);
        await assert.rejects(records.increment(key), { code: 'wrong_type' }, value);
        assert.equal(await records.get(key), value);
      }
    });

    suite.it('counts exactly, or not at all', async ({ open, newKey }) => {
      const records = await open();
      const [up, down] = [newKey(), newKey()];
      const most = Number.MAX_SAFE_INTEGER;
      assert.equal(await records.increment(up, { by: most }), most);
      await assert.rejects(records.increment(up), { code: 'wrong_type' });
      assert.equal(await records.get(up), String(most));
      assert.equal(await records.increment(down, { by: -most }), -most);
      await assert.rejects(records.increment(down, { by: -1 }), { code: 'wrong_type' });
      await assert.rejects(records.increment(newKey(), { by: 0.5 }), { code: 'invalid_input' });
    });

    suite.with(['lasting'], 'counts on when it is opened again', async ({ open, newKey }) => {
      const key = newKey();
      const first = await open();
      await first.increment(key, { by: 7 });
      await first.close();
      assert.equal(await (await open()).increment(key), 8);
    });
  });
}
