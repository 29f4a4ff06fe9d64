import assert from 'node:assert/strict';
import { commit, contents } from './contents.ts';
import type { ReadModelSuite } from './read-models-under-test.ts';

export function rowTests(suite: ReadModelSuite): void {
  suite.topic('rows', () => {
    suite.it('come back as they were written', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      const rows = {
        'account:1': '{"balance":-1.5e3}',
        ' ': '""',
        'ümläut 🌊': '"🌊\\u0000"',
        'a:b/c{d}"e': '[null]',
        __proto__: '1',
        constructor: '2',
        [`${'x'.repeat(1_024)}`]: 'true',
        '0': 'null',
      };
      const written = new Map(Object.entries(rows)).set('__proto__', '1');
      await readModel.commit(table, { changes: written, expected: null, next: 'one', token: 1 });
      const keys = [...written.keys()];
      assert.deepEqual(await readModel.get(table, keys), [...written.values()]);
      const read = new Map<string, string>();
      for await (const [key, text] of readModel.rows(table)) read.set(key, text);
      assert.deepEqual(new Map([...read].sort()), new Map([...written].sort()));
    });

    suite.it('can be asked for in any number', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      await commit(readModel, table, null, 'one', { a: '1' });
      assert.deepEqual(await readModel.get(table, []), []);
      assert.deepEqual(await readModel.get(table, ['a', 'a', 'b', 'a']), ['1', '1', null, '1']);
      const keys = Array.from({ length: 5_000 }, (_, index) => `none ${index}`);
      const answers = await readModel.get(table, [...keys, 'a']);
      assert.deepEqual([answers.length, answers[0], answers[5_000]], [5_001, null, '1']);
    });

    suite.it('go with their table', async ({ open, newTable }) => {
      const readModel = await open();
      const [table, other] = [newTable(), newTable()];
      const rows = Object.fromEntries(
        Array.from({ length: 1_200 }, (_, index) => [`row ${index}`, '1']),
      );
      await commit(readModel, table, null, 'one', rows, 5);
      await commit(readModel, other, null, 'one', { a: '1' });
      await readModel.drop(table);
      await readModel.drop(table);
      assert.equal(await readModel.checkpoint(table), null);
      assert.deepEqual(await readModel.get(table, ['row 1']), [null]);
      assert.deepEqual(await contents(readModel, table), {});
      assert.equal(await commit(readModel, table, 'one', 'two', { a: '2' }, 5), 'changed');
      // Begun anew, there is nothing left of what was.
      assert.equal(await commit(readModel, table, null, 'one', { 'row 7': '2' }, 1), 'committed');
      assert.deepEqual(await contents(readModel, table), { 'row 7': '2' });
      assert.deepEqual(await contents(readModel, other), { a: '1' });
    });

    suite.it('can be read while they change', async ({ open, newTable }) => {
      const readModel = await open();
      const table = newTable();
      const rows = (from: number, to: number, text: string) =>
        Object.fromEntries(
          Array.from({ length: to - from }, (_, index) => [`row ${from + index}`, text]),
        );
      await commit(readModel, table, null, '0', rows(0, 3_000, 'old'));
      const read = new Map<string, string>();
      let steps = 0;
      for await (const [key, text] of readModel.rows(table)) {
        assert.ok(!read.has(key), 'each once');
        read.set(key, text);
        if (read.size % 500 === 0 && steps < 5) {
          // It grows a lot, so that a hash of Redis has to be rearranged.
          const from = 3_000 + steps * 2_000;
          const next = String(steps + 1);
          await commit(readModel, table, String(steps), next, rows(from, from + 2_000, 'new'));
          steps += 1;
        }
      }
      for (let index = 0; index < 3_000; index += 1) assert.equal(read.get(`row ${index}`), 'old');
    });

    suite.with(['lasting'], 'outlive their store', async ({ open, newTable }) => {
      const [table, dropped] = [newTable(), newTable()];
      const first = await open();
      await commit(first, table, null, 'one', { a: '1', b: '2' }, 3);
      await commit(first, dropped, null, 'one', { a: '1' }, 3);
      await first.drop(dropped);
      await first.close();
      const second = await open();
      assert.deepEqual(await second.checkpoint(table), { cursor: 'one', token: 3 });
      assert.deepEqual(await contents(second, table), { a: '1', b: '2' });
      assert.equal(await second.checkpoint(dropped), null);
      assert.equal(await commit(second, table, 'one', 'two', { a: '9' }, 2), 'fenced');
      assert.equal(await commit(second, table, 'one', 'two', { a: '9' }, 3), 'committed');
      assert.equal(await commit(second, dropped, null, 'two', { b: '9' }, 3), 'committed');
      assert.deepEqual(await contents(second, dropped), { b: '9' });
    });

    suite.with(['shared'], 'are seen by everybody at once', async ({ open, newTable }) => {
      const [one, two] = [await open(), await open()];
      const table = newTable();
      await commit(one, table, null, 'one', { a: '1' }, 1);
      assert.deepEqual(await two.get(table, ['a']), ['1']);
      await commit(two, table, 'one', 'two', { a: '2' }, 2);
      assert.equal(await commit(one, table, 'one', 'two', { a: '3' }, 1), 'fenced');
      assert.deepEqual(await one.get(table, ['a']), ['2']);
    });
  });
}
