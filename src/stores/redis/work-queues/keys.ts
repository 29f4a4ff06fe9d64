/**
 * Every key of work queues in Redis, and nothing else knows them. All of a group share a hash tag, and
 * a script that touches them touches nothing else.
 *
 *   {work:mail}:logs       stream   one entry per log that has work, and the consumer group `workers`:
 *                                   who has an entry pending holds the lease on its log
 *   {work:mail}:queued     hash     log → its entry's ID, or `delayed`, or `held`; so no log is queued twice
 *   {work:mail}:told       hash     log → up to which event the feed has told of it; gone when that is done
 *   {work:mail}:cursors    hash     log → the last event that is done, or `~` and the event to begin with
 *   {work:mail}:attempts   hash     log → `event count`, of the event after the cursor, if it was tried
 *   {work:mail}:delayed    zset     log → when it may go on, in milliseconds
 *   {work:mail}:redrives   hash     log → `event/letter/attempts …`
 *   {work:mail}:state      hash     `category`, `from`, `created` (an ID: when); how far the feed was
 *                                   read: `at` (its cursor), `scan` (where going over the marks of all
 *                                   logs has got to), `anew` (it is not the first feed);
 *                                   `mended`, `mend`: when what waits was looked over, and how far
 *
 * Anybody can do anything to a key by hand: `mend.lua` goes over what waits and mends it. So that it
 * is noticed when a whole hash is lost or another one, two hold a field that no log can have (`''`):
 *
 *   cursors   `from created category`, and `at` on a line of its own: how the group was made. Without
 *             it, what is done is not known, and nothing is handed out.
 *   told      the `at` of the state. Another one: the feed's marks are gone over again.
 */
import { FEED_KEY } from '../keys.ts';
import type { Kept } from '../occupied.ts';

export interface GroupKeys {
  readonly logs: string;
  readonly queued: string;
  readonly told: string;
  readonly cursors: string;
  readonly attempts: string;
  readonly delayed: string;
  readonly redrives: string;
  readonly state: string;
}

export function groupKeys(group: string): GroupKeys {
  const key = (what: string) => `{work:${group}}:${what}`;
  return {
    logs: key('logs'),
    queued: key('queued'),
    told: key('told'),
    cursors: key('cursors'),
    attempts: key('attempts'),
    delayed: key('delayed'),
    redrives: key('redrives'),
    state: key('state'),
  };
}

export function keptUnder(key: string): Kept {
  if (key === FEED_KEY || key.endsWith(':logs')) return 'stream';
  return key.endsWith(':delayed') ? 'zset' : 'hash';
}
