import assert from 'node:assert/strict';
import { commit, contents, step } from './contents.ts';
import type { ReadModelSuite } from './read-models-under-test.ts';

export function commitTests(suite: ReadModelSuite): void {
  suite.topic('a commit', () => {
    suite.it('begins a table, and moves it on', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      assert.equal(await readModel.checkpoint(table), null);
      assert.deepEqual(await readModel.get(table, ['a']), [null]);
      assert.deepEqual(await contents(readModel, table), {});

      assert.equal(await commit(readModel, table, null, 'one', { a: '1', b: '2' }), 'committed');
      assert.deepEqual(await readModel.checkpoint(table), { cursor: 'one', token: 1 });
      assert.equal(
        await commit(readModel, table, 'one', 'two', { a: '3', b: null, c: '4' }),
        'committed',
      );
      assert.deepEqual(await readModel.checkpoint(table), { cursor: 'two', token: 1 });
      assert.deepEqual(await contents(readModel, table), { a: '3', c: '4' });
      assert.deepEqual(await readModel.get(table, ['c', 'b', 'a']), ['4', null, '3']);
    });

    suite.it('may change no row, and may stay at its cursor', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      assert.equal(await commit(readModel, table, null, '', {}, 3), 'committed');
      assert.deepEqual(await readModel.checkpoint(table), { cursor: '', token: 3 });
      assert.equal(await commit(readModel, table, '', '', {}, 4), 'committed');
      assert.deepEqual(await readModel.checkpoint(table), { cursor: '', token: 4 });
      assert.equal(await commit(readModel, table, '', 'one', { gone: null }, 4), 'committed');
      assert.deepEqual(await contents(readModel, table), {});
    });

    suite.it('is refused when the table is elsewhere', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      const changed = { a: 'no', b: 'no' };
      assert.equal(await commit(readModel, table, 'one', 'two', changed), 'changed');
      assert.equal(await readModel.checkpoint(table), null);
      await commit(readModel, table, null, 'one', { a: '1' });
      for (const expected of [null, 'zero', '']) {
        assert.equal(await commit(readModel, table, expected, 'two', changed), 'changed');
      }
      // Also with a greater token: that one is not taken down either.
      assert.equal(await commit(readModel, table, 'zero', 'two', changed, 9), 'changed');
      assert.deepEqual(await readModel.checkpoint(table), { cursor: 'one', token: 1 });
      assert.deepEqual(await contents(readModel, table), { a: '1' });
    });

    suite.it('fences earlier writers off', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      await commit(readModel, table, null, 'one', { a: '1' }, 7);
      assert.equal(await commit(readModel, table, 'one', 'two', { a: '2' }, 6), 'fenced');
      // The token is looked at first.
      assert.equal(await commit(readModel, table, 'zero', 'two', { a: '2' }, 6), 'fenced');
      assert.equal(await commit(readModel, table, null, 'two', { a: '2' }, 6), 'fenced');
      assert.deepEqual(await readModel.checkpoint(table), { cursor: 'one', token: 7 });
      assert.equal(await commit(readModel, table, 'one', 'two', { a: '2' }, 7), 'committed');
      assert.equal(await commit(readModel, table, 'two', 'three', { a: '3' }, 12), 'committed');
      assert.equal(await commit(readModel, table, 'three', 'four', { a: '4' }, 9), 'fenced');
      assert.deepEqual(await contents(readModel, table), { a: '3' });
      const large = Number.MAX_SAFE_INTEGER;
      assert.equal(await commit(readModel, table, 'three', 'four', {}, large), 'committed');
      assert.equal(await commit(readModel, table, 'four', 'five', {}, large - 1), 'fenced');
      assert.deepEqual(await readModel.checkpoint(table), { cursor: 'four', token: large });
    });

    suite.it('lets one of several through', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      for (let round = 0; round < 5; round += 1) {
        const from = round === 0 ? null : `round ${round}`;
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            commit(readModel, table, from, `round ${round + 1}`, {
              winner: String(index),
              [`row of ${index}`]: String(round),
            }),
          ),
        );
        assert.equal(outcomes.filter((outcome) => outcome === 'committed').length, 1);
        const winner = outcomes.indexOf('committed');
        assert.deepEqual(await readModel.get(table, ['winner']), [String(winner)]);
      }
    });

    suite.it('of one table is none of another', async ({ open, newTable }) => {
      const readModel = await open();
      const [one, two] = [newTable(), newTable()];
      const outcomes = await Promise.all([
        commit(readModel, one, null, 'here', { a: '1' }),
        commit(readModel, two, null, 'there', { a: '2' }),
      ]);
      assert.deepEqual(outcomes, ['committed', 'committed']);
      assert.deepEqual(await contents(readModel, one), { a: '1' });
      assert.deepEqual(await contents(readModel, two), { a: '2' });
    });

    suite.it('takes thousands of rows', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      const rows = Object.fromEntries(
        Array.from({ length: 9_001 }, (_, index) => [`row ${index}`, `{"at":${index}}`]),
      );
      assert.equal(await commit(readModel, table, null, 'one', rows), 'committed');
      const keys = Object.keys(rows);
      assert.deepEqual(await readModel.get(table, keys), Object.values(rows));
      assert.equal(Object.keys(await contents(readModel, table)).length, 9_001);
      const gone = Object.fromEntries(keys.slice(0, 9_000).map((key) => [key, null]));
      assert.equal(await commit(readModel, table, 'one', 'two', gone), 'committed');
      assert.deepEqual(await contents(readModel, table), { 'row 9000': '{"at":9000}' });
    });

    suite.with(['bounded'], 'is refused when it is too large, whole', async (context) => {
      const readModel = await context.open();
      const table = context.newTable();
      const many = Object.fromEntries(
        Array.from({ length: 20_001 }, (_, index) => [`row ${index}`, '1']),
      );
      const text = 'x'.repeat(1_400_000);
      const tooLarge = { code: 'too_large', field: 'changes' };
      await assert.rejects(commit(readModel, table, null, 'one', many), tooLarge);
      await assert.rejects(
        commit(readModel, table, null, 'one', { a: text, b: text, c: text }),
        tooLarge,
      );
      assert.equal(await readModel.checkpoint(table), null);
      const two = { a: text, b: text };
      assert.equal(await commit(readModel, table, null, 'one', two), 'committed');
      assert.deepEqual(await readModel.get(table, ['a', 'b']), [text, text]);
    });

    suite.with(['bounded'], 'is refused when it breaks a rule', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      const fine = step(null, 'one', { a: '1' });
      const row = (key: string, text: string) => ({ ...fine, changes: new Map([[key, text]]) });
      const bad: readonly (readonly [unknown, string])[] = [
        [{ ...fine, token: 0 }, 'token'],
        [{ ...fine, token: 1.5 }, 'token'],
        [{ ...fine, expected: undefined }, 'expected'],
        [{ ...fine, next: undefined }, 'next'],
        [row('', '1'), 'key'],
        [row('x'.repeat(1_025), '1'), 'key'],
        [row('\ud800', '1'), 'key'],
        [row('a', '\ud800'), 'changes'],
      ];
      for (const [wrong, field] of bad) {
        const refused = readModel.commit(table, wrong as typeof fine);
        await assert.rejects(refused, { code: 'invalid_input', field });
      }
      for (const name of ['', 'a b', 'ä', '{x}', 'x'.repeat(201)]) {
        const refusal = { code: 'invalid_input', field: 'table' };
        await assert.rejects(readModel.commit(name, fine), refusal);
        await assert.rejects(readModel.checkpoint(name), refusal);
        await assert.rejects(readModel.get(name, []), refusal);
        await assert.rejects(readModel.drop(name), refusal);
        await assert.rejects(contents(readModel, name), refusal);
      }
      await assert.rejects(readModel.get(table, ['a', '']), { field: 'key' });
      assert.equal(await readModel.checkpoint(table), null);
    });
  });
}
