/** Tells the feed of what others added to logs. */
import type { Redis } from 'ioredis';
import { FEED_KEY, FEED_MARKS_KEY } from '../keys.ts';
import { callScript } from '../place/scripts.ts';
import { ABOVE_SCRIPT, INDEX_SCRIPT, MARKED_SCRIPT } from './scripts.ts';

/** Few enough for one call: what is new in a log comes with its first event, which can be large. */
const LOGS_PER_CALL = 100;

/**
 * Looks at logs, by their keys, and tells the feed of what lies above its marks. May be repeated.
 * The calls touch either the feed and its marks, or logs, never both. Fails as commands do.
 */
export async function indexLogs(redis: Redis, keys: readonly string[]): Promise<void> {
  const feed = [FEED_KEY, FEED_MARKS_KEY];
  for (let start = 0; start < keys.length; start += LOGS_PER_CALL) {
    const logs = keys.slice(start, start + LOGS_PER_CALL);
    const marks = (await callScript(redis, MARKED_SCRIPT, feed, logs.map(nameOf))) as string[];
    const above = (await callScript(redis, ABOVE_SCRIPT, logs, marks)) as string[];
    const told: string[] = [];
    for (let at = 0; at < above.length; at += 3) {
      const [key, first, last] = above.slice(at, at + 3) as [string, string, string];
      told.push(nameOf(key), marks[logs.indexOf(key)]!, first, last);
    }
    if (told.length > 0) await callScript(redis, INDEX_SCRIPT, feed, told);
  }
}

function nameOf(key: string): string {
  return key.slice(0, -':log'.length);
}
