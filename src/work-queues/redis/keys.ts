/**
 * Every key of work queues in Redis, and nothing else knows them. All of a group share a hash tag.
 *
 *   {work:mail}:logs       stream   one entry per log that has work, and the consumer group `workers`:
 *                                   who has an entry pending holds the lease on its log
 *   {work:mail}:queued     hash     log → its entry's ID, or `delayed`, or `held`; so no log is queued twice
 *   {work:mail}:told       hash     log → up to which event the feed has told of it; gone when that is done
 *   {work:mail}:cursors    hash     log → the last event that is done, or `~` and the event to begin with
 *   {work:mail}:attempts   hash     log → `event count`, of the event after the cursor, if it was tried
 *   {work:mail}:delayed    zset     log → when it may go on, in milliseconds
 *   {work:mail}:redrives   hash     log → `event/letter/attempts …`
 *   {work:mail}:state      hash     `category`, `from`; how far the feed was read: `at`, `mark` (what its
 *                                   last entry holds), `scan` (where going over all logs has got to)
 */

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
