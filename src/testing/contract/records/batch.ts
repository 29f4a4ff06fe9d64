import assert from 'node:assert/strict';
import type { Change } from '../../../records/records.ts';
import type { RecordsSuite } from './records-under-test.ts';

export function batchTests(suite: RecordsSuite): void {
  suite.topic('a batch', () => {
    suite.it('does everything', async ({ open, newKey }) => {
      const records = await open();
      const [model, checkpoint, gone, count, seen] = Array.from({ length: 5 }, newKey) as [
        ...string[],
      ];
      await records.compareAndSet(checkpoint!, null, '1-0');
      await records.compareAndSet(gone!, null, 'x');
      await records.compareAndSet(seen!, null, 'as it was');
      const changes: Change[] = [
        { key: model!, value: 'read model' },
        { key: checkpoint!, expected: '1-0', value: '2-0' },
        { key: gone!, value: null },
        { key: count!, add: 3 },
        { key: seen!, expected: 'as it was' },
      ];
      assert.deepEqual(await records.batch(changes), { committed: true, counts: [3] });
      const after = await Promise.all(
        [model, checkpoint, gone, count, seen].map((key) => records.get(key!)),
      );
      assert.deepEqual(after, ['read model', '2-0', null, '3', 'as it was']);
    });

    suite.it('does nothing when one part does not hold', async ({ open, newKey }) => {
      const records = await open();
      const [first, count, gone, last] = [newKey(), newKey(), newKey(), newKey()];
      await records.compareAndSet(gone, null, 'still here');
      const start: Change[] = [
        { key: first, value: 'a' },
        { key: count, add: 1 },
        { key: gone, value: null },
      ];
      for (const change of [
        { key: last, expected: 'x', value: 'b' },
        { key: last, expected: 'x' },
      ]) {
        assert.deepEqual(await records.batch([...start, change]), {
          committed: false,
          reason: 'changed',
          key: last,
          actual: null,
        });
      }
      await records.compareAndSet(last, null, 'no number');
      await assert.rejects(records.batch([...start, { key: last, add: 1 }]), {
        code: 'wrong_type',
      });
      const after = await Promise.all([first, count, gone].map((key) => records.get(key)));
      assert.deepEqual(after, [null, null, 'still here']);
    });

    suite.it('names the first part that does not hold', async ({ open, newKey }) => {
      const records = await open();
      const [one, two] = [newKey(), newKey()];
      await records.compareAndSet(two, null, 'there');
      const refused = await records.batch([
        { key: one, expected: null },
        { key: two, expected: null, value: 'x' },
        { key: newKey(), expected: 'not there either' },
      ]);
      const reason = { committed: false, reason: 'changed', key: two, actual: 'there' };
      assert.deepEqual(refused, reason);
    });

    suite.it('is one moment for everybody', async ({ open, newKey }) => {
      const records = await open();
      const [left, right] = [newKey(), newKey()];
      await records.batch([
        { key: left, value: '100' },
        { key: right, value: '0' },
      ]);
      // Each moves one over; a batch that sees half of another one would break the sum.
      const move = async (): Promise<void> => {
        for (;;) {
          const [from, to] = await Promise.all([records.get(left), records.get(right)]);
          const moved = await records.batch([
            { key: left, expected: from, value: String(Number(from) - 1) },
            { key: right, expected: to, value: String(Number(to) + 1) },
          ]);
          if (moved.committed) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, move));
      assert.equal(await records.get(left), '80');
      assert.equal(await records.get(right), '20');
    });

    suite.it('gives records times to live', async ({ open, pass, newKey }) => {
      const records = await open();
      const [short, stays] = [newKey(), newKey()];
      await records.batch([
        { key: short, value: 'a', timeToLive: 300 },
        { key: stays, value: 'a' },
      ]);
      await pass(300);
      assert.equal(await records.get(short), null);
      assert.equal(await records.get(stays), 'a');
    });

    suite.it('refuses what breaks a rule, and changes nothing', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      const fine = { key, value: 'x' };
      const bad: readonly (readonly [Change[], string])[] = [
        [[], 'changes'],
        [[fine, { key, value: 'y' }], 'changes'],
        [[fine, { key: newKey() }], 'changes[1]'],
        [[fine, { key: '', value: 'x' }], 'changes[1].key'],
        [[fine, { key: newKey(), add: Number.NaN }], 'changes[1].add'],
        [[fine, { key: newKey(), value: null, timeToLive: 5 }], 'changes[1].timeToLive'],
        [[fine, { key: newKey(), value: 'x', timeToLive: 0 }], 'changes[1].timeToLive'],
        [Array.from({ length: 1_001 }, () => ({ key: newKey(), value: '' })), 'changes'],
      ];
      for (const [changes, field] of bad) {
        await assert.rejects(records.batch(changes), { code: 'invalid_input', field });
      }
      const large = 'x'.repeat(9_000_000);
      const tooLarge = records.batch([fine, { key: newKey(), value: large, expected: large }]);
      await assert.rejects(tooLarge, { code: 'too_large' });
      assert.equal(await records.get(key), null);
    });
  });
}
