/** Which key of several holds something else than what is kept there: Redis says only that one does. */
import type { Redis } from 'ioredis';
import { WrongType } from '../../event/store-errors.ts';

/** In the words of Redis. */
export type Kept = 'string' | 'hash' | 'stream' | 'zset';

/** @returns undefined when all are as they should be, or cannot be asked for */
export async function findOccupied(
  redis: Pick<Redis, 'type'>,
  keys: readonly string[],
  keptUnder: (key: string) => Kept,
): Promise<WrongType | undefined> {
  const types = await Promise.all(keys.map((key) => redis.type(key))).catch(() => []);
  for (const [index, holds] of types.entries()) {
    const key = keys[index]!;
    const needs = keptUnder(key);
    if (holds !== 'none' && holds !== needs) {
      return new WrongType(
        key,
        `${key} holds a ${holds}, and Millrace keeps a ${needs} there; put back what was there, or remove it`,
      );
    }
  }
  return undefined;
}
