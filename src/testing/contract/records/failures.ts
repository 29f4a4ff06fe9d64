import assert from 'node:assert/strict';
import { eventually } from '../eventually.ts';
import type { RecordsSuite } from './records-under-test.ts';

export function failureTests(suite: RecordsSuite): void {
  suite.topic('failures', () => {
    suite.it('takes no work after close', async ({ open, newKey }) => {
      const records = await open();
      const key = newKey();
      const underWay = records.compareAndSet(key, null, 'x');
      await Promise.all([records.close(), records.close()]);
      assert.deepEqual(await underWay, { swapped: true });
      const closed = { code: 'closed' };
      await assert.rejects(records.get(key), closed);
      await assert.rejects(records.compareAndSet(key, 'x', 'y'), closed);
      await assert.rejects(records.increment(key), closed);
      await assert.rejects(records.batch([{ key, value: 'y' }]), closed);
      await assert.rejects(records.lease('name', { timeToLive: 1_000 }), closed);
    });

    suite.with(['occupy'], 'leaves alone what is no record', async (context) => {
      const { open, newKey, occupy } = context;
      const records = await open();
      const [key, other] = [newKey(), newKey()];
      await occupy(key);
      const wrongType = { code: 'wrong_type' };
      await assert.rejects(records.get(key), wrongType);
      await assert.rejects(records.compareAndSet(key, null, 'x'), wrongType);
      await assert.rejects(records.increment(key), wrongType);
      const batch = [
        { key: other, value: 'x' },
        { key, value: 'x' },
      ];
      await assert.rejects(records.batch(batch), wrongType);
      assert.equal(await records.get(other), null);
    });

    suite.with(['lossy'], 'does not know about a change without answer', async (context) => {
      const { open, newKey, lossy } = context;
      const [near, far] = [await open(), await lossy.open()];
      const key = newKey();
      lossy.swallowReplies();
      const change = assert.rejects(far.compareAndSet(key, null, 'sent'), {
        code: 'outcome_unknown',
      });
      await eventually(() => lossy.hasSwallowed());
      lossy.cut();
      await change;
      assert.equal(await near.get(key), 'sent');
      lossy.heal();
      // Tried again, it is refused and finds its own value.
      const again = await eventually(() => far.compareAndSet(key, null, 'sent'));
      assert.deepEqual(again, { swapped: false, actual: 'sent' });
    });

    suite.with(['lossy'], 'gives up waiting for an answer', async ({ newKey, lossy }) => {
      const far = await lossy.open();
      const key = newKey();
      lossy.swallowReplies();
      await assert.rejects(far.increment(key), { code: 'outcome_unknown' });
      lossy.heal();
      assert.equal(await eventually(() => far.increment(key)), 2);
    });

    suite.with(['lossy'], 'changes nothing while it is away', async ({ open, newKey, lossy }) => {
      const [near, far] = [await open(), await lossy.open()];
      const key = newKey();
      lossy.refuse();
      lossy.cut();
      const unavailable = { code: 'unavailable' };
      // The first may still meet the dying connection.
      await eventually(() => assert.rejects(far.get(key), unavailable));
      await assert.rejects(far.compareAndSet(key, null, 'x'), unavailable);
      await assert.rejects(far.increment(key), unavailable);
      lossy.heal();
      assert.deepEqual(await eventually(() => far.compareAndSet(key, null, 'y')), {
        swapped: true,
      });
      assert.equal(await near.get(key), 'y');
    });
  });
}
