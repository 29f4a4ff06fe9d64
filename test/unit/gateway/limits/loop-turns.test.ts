import { expect, it } from 'vitest';
import { LoopTurns } from '../../../../src/gateway/limits/loop-turns.ts';

function busy(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

it('does what there is time for at once', () => {
  const turns = new LoopTurns();
  const done: number[] = [];
  for (let index = 0; index < 10; index += 1) void turns.run(() => done.push(index));
  expect(done).toHaveLength(10);
});

it('gives others a turn when it has taken its time, and keeps the order', async () => {
  const turns = new LoopTurns();
  const done: string[] = [];
  const work = ['a', 'b', 'c'].map((name) =>
    turns.run(() => {
      busy(15);
      done.push(name);
      // Whoever has waited for the network is served before the next.
      setImmediate(() => done.push(`others after ${name}`));
    }),
  );
  expect(done).toEqual(['a']);
  await Promise.all(work);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(done).toEqual([...['a', 'others after a', 'b', 'others after b', 'c', 'others after c']]);
});

it('hands on what work answers and throws, at once or later', async () => {
  const turns = new LoopTurns();
  const fail = () => {
    busy(15);
    throw new Error('now');
  };
  const first = turns.run(fail);
  const second = turns.run(() => Promise.reject(new Error('later')));
  const third = turns.run(async () => 'well');
  await expect(first).rejects.toThrow('now');
  await expect(second).rejects.toThrow('later');
  expect(await third).toBe('well');
});
