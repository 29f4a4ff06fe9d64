/** Tells the feed of what others added to logs. */
import type { Redis } from 'ioredis';
import { FEED_KEY, FEED_MARKS_KEY } from '../keys.ts';
import { callScript } from '../place/scripts.ts';
import { INDEX_SCRIPT } from './scripts.ts';

/** Few enough for one call: what is new in a log comes with its first event, which can be large. */
const LOGS_PER_CALL = 100;

/**
 * Looks at logs, by their keys, and tells the feed of what lies above its marks. May be repeated.
 * Fails as commands do.
 */
export async function indexLogs(redis: Redis, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += LOGS_PER_CALL) {
    const logs = keys.slice(start, start + LOGS_PER_CALL);
    await callScript(redis, INDEX_SCRIPT, [FEED_KEY, FEED_MARKS_KEY, ...logs], []);
  }
}
