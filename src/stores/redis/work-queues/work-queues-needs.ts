/** What the user of work queues must be allowed to do in Redis; a test holds it against the scripts. */
import { FEED_INDEX_NEEDS } from '../feed/redis-feed-index.ts';
import type { Needs } from '../place/rights.ts';
import { groupKeys } from './keys.ts';

export const WORK_QUEUES_NEEDS: Needs = {
  commands: [
    ...(['time', 'type', 'exists', 'hget', 'hmget', 'hset', 'hdel', 'hexists'] as const),
    ...FEED_INDEX_NEEDS.commands,
    ...(['hscan', 'xadd', 'xack', 'xautoclaim', 'xclaim', 'xdel', 'xgroup|create'] as const),
    ...(['xgroup|delconsumer', 'xinfo|consumers', 'xinfo|groups'] as const),
    ...(['xlen', 'xpending', 'xrange', 'xreadgroup'] as const),
    ...(['zadd', 'zcard', 'zrangebyscore', 'zrem', 'zscore'] as const),
  ],
  keys: { ...FEED_INDEX_NEEDS.keys },
};

/** What a member needs of the keys of its group. */
export function groupNeeds(group: string): Needs {
  return { commands: [], keys: { [`{work:${group}}:*`]: groupKeys(group).logs } };
}
