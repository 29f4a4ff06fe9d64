/**
 * Every key and channel of Millrace in Redis, and nothing else knows them.
 *
 *   account:1:log                        stream   the log: entries `type`, `payload`, maybe `codec`, `meta`
 *   {account:1:log}:producers            hash     producer ID → `epoch seq lastUse first:count first:count …`
 *   {account:1:log}:meta                 hash     `trimmed`, `removed` (by our trims); `fence`, `guarded` (the last trim under a guard)
 *   feed                                 stream   entry `0-<n>` is the n-th: per log that it tells of, name → `first last`
 *   {feed}:indexed                       hash     name of a log → up to where the feed knows it; `''` → the feed's last entry; `#` → a note
 *   millrace:0:{account:1:log}           channel  publications (0 is the database: channels know none)
 *
 * The braces are literal: a hash tag that puts the companions of a log into the log's own
 * cluster slot. The scripts derive the companions' names from the log's key; keep them alike.
 */
import { isLogName, type LogName } from '../../event/log-name.ts';
import type { Kept } from './occupied.ts';

export const FEED_KEY = 'feed';

/** In the feed's slot, not the logs': on a cluster both are written in one step, which is then repeatable. */
export const FEED_MARKS_KEY = '{feed}:indexed';

export function keptUnder(key: string): Kept {
  return key === FEED_KEY || key.endsWith(':log') ? 'stream' : 'hash';
}

/** The stream that holds a log. */
export function logKey(log: LogName): string {
  return `${log}:log`;
}

/** What the keys of all logs match, for `SCAN`; and some others, see {@link isLogKey}. */
export const LOG_KEY_PATTERN = '*:log';

/** Whether a log can have this key: others may keep streams of their own under keys like ours. */
export function isLogKey(key: string): boolean {
  return key.endsWith(':log') && isLogName(key.slice(0, -':log'.length));
}

/** The hash of what is known beside a log: how far it was trimmed. */
export function metaKey(log: LogName): string {
  return `{${log}:log}:meta`;
}

/** The hash of who appends to a log, and what each has appended last. */
export function producersKey(log: LogName): string {
  return `{${log}:log}:producers`;
}

/** What all channel names of one database start with; the script appends `{log key}`. */
export function channelPrefix(database: number): string {
  return `millrace:${database}:`;
}

/** Where the appends to a log are published. */
export function channelOf(database: number, log: LogName): string {
  return `${channelPrefix(database)}{${log}:log}`;
}
