/** What the user of read models must be allowed to do in Redis; a test holds it against the scripts. */
import type { Needs } from '../place/rights.ts';
import { rowsKey } from './keys.ts';

export const READ_MODELS_NEEDS: Needs = {
  commands: ['hget', 'hmget', 'hset', 'hdel', 'hlen', 'hscan', 'unlink'],
  examples: [rowsKey('a@1')],
};
