/** What the user of a log must be allowed to do in Redis; a test holds it against the scripts. */
import { accountLog } from '../../../event/log-name.ts';
import { channelOf, FEED_KEY, FEED_MARKS_KEY, logKey, metaKey } from '../keys.ts';
import type { Needs } from '../place/rights.ts';

/**
 * One log stands for all: who may not read those of other categories cannot follow the feed, which
 * tells of every log.
 */
const EXAMPLE = accountLog('1');

/** @param database channels know none, so it is part of their names */
export function logNeeds(database: number): Needs {
  return {
    commands: [
      ...(['time', 'type', 'exists', 'unlink', 'scan', 'dbsize', 'script|load'] as const),
      ...(['xadd', 'xrange', 'xrevrange', 'xread', 'xinfo|stream', 'xlen', 'xtrim'] as const),
      ...(['hget', 'hmget', 'hset', 'hdel', 'hrandfield', 'pexpire'] as const),
      ...(['pubsub|numpat', 'pubsub|numsub', 'unsubscribe'] as const),
    ],
    keys: {
      '*:log': logKey(EXAMPLE),
      '{*}:*': metaKey(EXAMPLE),
      [FEED_KEY]: FEED_KEY,
      [FEED_MARKS_KEY]: FEED_MARKS_KEY,
    },
    channel: { pattern: 'millrace:*', example: channelOf(database, EXAMPLE) },
  };
}
