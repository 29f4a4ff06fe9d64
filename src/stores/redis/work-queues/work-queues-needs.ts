/** What the user of work queues must be allowed to do in Redis; a test holds it against the scripts. */
import { FEED_KEY, FEED_MARKS_KEY } from '../keys.ts';
import type { Needs } from '../place/rights.ts';
import { groupKeys } from './keys.ts';

export const WORK_QUEUES_NEEDS: Needs = {
  commands: [
    ...(['time', 'type', 'exists', 'hget', 'hmget', 'hset', 'hdel', 'hexists'] as const),
    ...(['hscan', 'xadd', 'xack', 'xautoclaim', 'xclaim', 'xdel', 'xgroup|create'] as const),
    ...(['xgroup|delconsumer', 'xinfo|consumers', 'xinfo|groups', 'xinfo|stream'] as const),
    ...(['xlen', 'xpending', 'xrange', 'xreadgroup', 'xrevrange'] as const),
    ...(['zadd', 'zcard', 'zrangebyscore', 'zrem', 'zscore'] as const),
  ],
  keys: { [FEED_KEY]: FEED_KEY, [FEED_MARKS_KEY]: FEED_MARKS_KEY },
};

/** What a member needs of the keys of its group. */
export function groupNeeds(group: string): Needs {
  return { commands: [], keys: { [`{work:${group}}:*`]: groupKeys(group).logs } };
}
