import { expect, it, test } from 'vitest';
import { BodyReader, KEPT_PARSED } from '../../../../src/gateway/http/body.ts';
import { InMemory } from '../../../../src/gateway/limits/in-memory.ts';
import { DEFAULT_GATEWAY_LIMITS } from '../../../../src/gateway/limits/limits.ts';
import { LoopTurns } from '../../../../src/gateway/limits/loop-turns.ts';

function reader(together: number): BodyReader {
  const limits = {
    ...DEFAULT_GATEWAY_LIMITS,
    maxBodyBytes: 200_000,
    maxBodyBytesTogether: together,
  };
  return new BodyReader(limits, new InMemory(together), new LoopTurns());
}

function post(length: number): Request {
  const body = 'x'.repeat(length);
  const headers = { 'content-length': String(length) };
  return new Request('http://localhost/', { method: 'POST', body, headers });
}

const length = async (text: string): Promise<number> => text.length;

test.each([100, 10_000, 100_000])(
  'bodies of %i bytes count until the work is done',
  async (size) => {
    const bodies = reader(2 * size);
    let finish = () => {};
    const work = () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      });
    const first = bodies.withText(post(size), work);
    const second = bodies.withText(post(size), length);
    expect(await second).toBe(size);
    await expect(bodies.withText(post(size + 1), length)).rejects.toMatchObject({
      code: 'overloaded',
    });
    finish();
    await first;
    expect(await bodies.withText(post(size + 1), length)).toBe(size + 1);
  },
);

it('counts as many times as what is kept of it can be', async () => {
  const bodies = reader(100_000);
  const kept = (size: number) => bodies.withText(post(size), length, KEPT_PARSED);
  expect(await kept(10_000)).toBe(10_000);
  await bodies.withText(post(5_000), async () => {
    await expect(kept(9_501)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await kept(9_500)).toBe(9_500);
  });
  expect(await kept(10_000)).toBe(10_000);
  // There would never be room for this one.
  await expect(kept(10_001)).rejects.toMatchObject({ code: 'body_too_large' });
});

it('gives back what it counted of a body that was refused', async () => {
  const bodies = reader(250_000);
  const refused = async (size: number, code: string) =>
    expect(bodies.withText(post(size), length)).rejects.toMatchObject({ code });
  await bodies.withText(post(100_000), async () => {
    for (let round = 0; round < 3; round += 1) {
      await refused(200_001, 'body_too_large');
      await refused(160_000, 'overloaded');
    }
  });
  expect(await bodies.withText(post(200_000), length)).toBe(200_000);
});
