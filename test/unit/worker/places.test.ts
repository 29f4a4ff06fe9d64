import { expect, test } from 'vitest';
import { Places } from '../../../src/worker/places.ts';

test('lets in as many as there are places, then one for each that leaves, in their order', async () => {
  const places = new Places(2);
  const entered: number[] = [];
  const leaving = [0, 1, 2, 3].map(async (number) => {
    const leave = await places.enter();
    entered.push(number);
    return leave;
  });
  const [first, second] = await Promise.all(leaving.slice(0, 2));
  expect(entered).toEqual([0, 1]);
  first!();
  (await leaving[2]!)();
  await leaving[3];
  expect(entered).toEqual([0, 1, 2, 3]);
  second!();
});
