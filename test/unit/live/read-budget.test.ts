import { expect, test } from 'vitest';
import { ReadBudget } from '../../../src/live/read-budget.ts';

const BUDGET = 16 * 1_048_576;
const ASKED = 65_536;
const LARGE = 1_048_576;

/** Asks for `count` pages at once that turn out to take `taken` each; answers how much was held at most. */
async function readMany(budget: ReadBudget, count: number, taken: number) {
  const most = { reads: 0, bytes: 0 };
  let [reads, bytes] = [0, 0];
  await Promise.all(
    Array.from({ length: count }, () =>
      budget.run(ASKED, async (charge) => {
        reads += 1;
        most.reads = Math.max(most.reads, reads);
        await new Promise(setImmediate);
        charge(taken);
        bytes += taken;
        most.bytes = Math.max(most.bytes, bytes);
        await new Promise(setImmediate);
        bytes -= taken;
        reads -= 1;
      }),
    ),
  );
  return most;
}

test('pages that hold one large event are charged as what they are', async () => {
  const most = await readMany(new ReadBudget(BUDGET), 500, LARGE);
  expect(most.bytes).toBeLessThanOrEqual(BUDGET);
});

test('small pages are read as many at a time as fit', async () => {
  const budget = new ReadBudget(BUDGET);
  await readMany(budget, 500, 1_000);
  const most = await readMany(budget, 2_000, 1_000);
  expect(most.reads).toBe(BUDGET / ASKED);
});

test('after small pages, large ones are surprising once', async () => {
  const budget = new ReadBudget(BUDGET);
  await readMany(budget, 500, 1_000);
  await readMany(budget, 100, LARGE);
  const most = await readMany(budget, 500, LARGE);
  expect(most.bytes).toBeLessThanOrEqual(BUDGET);
});

test('while a page takes more than there is, no other begins', async () => {
  const budget = new ReadBudget(1_000);
  const order: string[] = [];
  let end = () => {};
  const large = budget.run(1_000, async (charge) => {
    charge(5_000);
    order.push('large');
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  const small = budget.run(10, async () => void order.push('small'));
  await new Promise(setImmediate);
  expect(order).toEqual(['large']);
  end();
  await Promise.all([large, small]);
  expect(order).toEqual(['large', 'small']);
});

test('what fails gives back what it held', async () => {
  const budget = new ReadBudget(1_000);
  for (let count = 0; count < 5; count += 1) {
    const failing = budget.run(1_000, async (charge) => {
      charge(2_000);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
  }
  expect(await budget.run(1_000, async () => 'free')).toBe('free');
});
