import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

/** The file to which a Redis with this folder appends what it is told. */
export function appendOnlyFile(redisFolder: string): { path: string; size: number } {
  const folder = join(redisFolder, 'appendonlydir');
  const name = readdirSync(folder).find((each) => each.endsWith('.incr.aof'));
  if (name === undefined) throw new Error(`no append-only file in ${folder}`);
  const path = join(folder, name);
  return { path, size: statSync(path).size };
}

const END_OF_TRANSACTION = '*1\r\n$4\r\nEXEC\r\n';

/**
 * Cuts the file back to the end of the last transaction within its first `bytes`, which is what
 * `redis-check-aof --fix` makes of a torn one. Redis 7.0 itself leaves the first half of the torn
 * one in the file, and carries it out when it starts for the second time.
 */
export function cutAfterTransaction(redisFolder: string, bytes: number): void {
  const { path } = appendOnlyFile(redisFolder);
  const kept = readFileSync(path).subarray(0, Math.max(0, bytes));
  const last = kept.lastIndexOf(END_OF_TRANSACTION);
  truncateSync(path, last < 0 ? 0 : last + END_OF_TRANSACTION.length);
}
