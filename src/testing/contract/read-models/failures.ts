import assert from 'node:assert/strict';
import { eventually } from '../eventually.ts';
import { commit, contents } from './contents.ts';
import type { ReadModelSuite } from './read-models-under-test.ts';

export function failureTests(suite: ReadModelSuite): void {
  suite.topic('failures', () => {
    suite.with(['closing'], 'takes no work after close', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      const underWay = commit(readModel, table, null, 'one', { a: '1' });
      await Promise.all([readModel.close(), readModel.close()]);
      assert.equal(await underWay, 'committed');
      const closed = { code: 'closed' };
      await assert.rejects(readModel.checkpoint(table), closed);
      await assert.rejects(readModel.get(table, ['a']), closed);
      await assert.rejects(commit(readModel, table, 'one', 'two'), closed);
      await assert.rejects(readModel.drop(table), closed);
      await assert.rejects(contents(readModel, table), closed);
    });

    suite.with(['occupy'], 'leaves alone what is no table', async (context) => {
      const { open, newTable, occupy } = context;
      const readModel = await open();
      const wrongType = { code: 'wrong_type' };
      const [rows, checkpoint] = [newTable(), newTable()];
      await occupy(rows, 'rows');
      await occupy(checkpoint, 'checkpoint');
      await assert.rejects(readModel.get(rows, ['a']), wrongType);
      await assert.rejects(contents(readModel, rows), wrongType);
      await assert.rejects(commit(readModel, rows, null, 'one', { a: '1' }), wrongType);
      await assert.rejects(commit(readModel, rows, null, 'one'), wrongType);
      assert.equal(await readModel.checkpoint(rows), null);
      await assert.rejects(readModel.checkpoint(checkpoint), wrongType);
      await assert.rejects(commit(readModel, checkpoint, null, 'one', { a: '1' }), wrongType);
      assert.deepEqual(await contents(readModel, checkpoint), {});
    });

    suite.with(['lossy'], 'does not know about a commit without answer', async (context) => {
      const { open, newTable, lossy } = context;
      const [near, far] = [await open(), await lossy.open()];
      const table = newTable();
      lossy.swallowReplies();
      const sent = assert.rejects(commit(far, table, null, 'one', { a: '1' }), {
        code: 'outcome_unknown',
      });
      await eventually(() => lossy.hasSwallowed());
      lossy.cut();
      await sent;
      assert.deepEqual(await contents(near, table), { a: '1' });
      lossy.heal();
      // The checkpoint tells that it happened, and so does a second try.
      const checkpoint = await eventually(() => far.checkpoint(table));
      assert.deepEqual(checkpoint, { cursor: 'one', token: 1 });
      assert.equal(await commit(far, table, null, 'one', { a: '1' }), 'changed');
    });

    suite.with(['lossy'], 'gives up waiting for an answer', async ({ newTable, lossy }) => {
      const far = await lossy.open();
      const table = newTable();
      lossy.swallowReplies();
      await assert.rejects(commit(far, table, null, 'one'), { code: 'outcome_unknown' });
      lossy.heal();
      const checkpoint = await eventually(() => far.checkpoint(table));
      assert.deepEqual(checkpoint, { cursor: 'one', token: 1 });
    });

    suite.with(['lossy'], 'changes nothing while it is away', async ({ open, newTable, lossy }) => {
      const [near, far] = [await open(), await lossy.open()];
      const table = newTable();
      lossy.refuse();
      lossy.cut();
      const unavailable = { code: 'unavailable' };
      // The first may still meet the dying connection.
      await eventually(() => assert.rejects(far.checkpoint(table), unavailable));
      await assert.rejects(commit(far, table, null, 'one', { a: '1' }), unavailable);
      await assert.rejects(far.get(table, ['a']), unavailable);
      await assert.rejects(contents(far, table), unavailable);
      lossy.heal();
      const outcome = await eventually(() => commit(far, table, null, 'two', { a: '2' }));
      assert.equal(outcome, 'committed');
      assert.deepEqual(await contents(near, table), { a: '2' });
    });
  });
}
