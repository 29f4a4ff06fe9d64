/** What the user of records must be allowed to do in Redis; a test holds it against the scripts. */
import type { Needs } from '../place/rights.ts';

/** Keys of records that Millrace itself has; which of them are used depends on the application. */
const EXAMPLES = [
  ...['account_id', 'email:a', 'ticket:a', 'session:a'],
  ...['lease:a', 'projection:a:current', 'reaction:a'],
];

/** @param keys what this user must be allowed to use, beside that */
export function recordsNeeds(keys?: Readonly<Record<string, string>>): Needs {
  return { commands: ['get', 'set', 'del', 'incrby', 'hgetall'], keys, examples: EXAMPLES };
}
