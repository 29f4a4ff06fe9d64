/** The rules for where a subscription starts; types hold nobody back who calls from JavaScript. */
import { InvalidInput } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import { MAX_LAST, type Start } from '../event/start.ts';
import { checkEventId, checkWhole } from '../log/options.ts';

const RULE =
  "must be { after: an event ID }, { since: milliseconds since 1970 }, { last: how many } or 'now'";

/** @throws InvalidInput naming the field that breaks a rule */
export function checkStart(start: unknown): Start {
  if (start === 'now') return start;
  if (typeof start !== 'object' || start === null) throw new InvalidInput('start', RULE);
  const { after, since, last, ...others } = start as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const where = unknown === 'signal' ? '; the signal goes into the argument after it' : '';
    throw new InvalidInput(`start.${unknown}`, `is not known: start ${RULE}${where}`);
  }
  if ([after, since, last].filter((each) => each !== undefined).length !== 1) {
    throw new InvalidInput('start', `${RULE}, and not two of them`);
  }
  if (after !== undefined) return { after: checkEventId(after as EventId, 'start.after') };
  if (last !== undefined) return { last: checkWhole(last as number, 'start.last', 1, MAX_LAST) };
  if (typeof since !== 'number' || !Number.isFinite(since)) {
    throw new InvalidInput('start.since', 'must be a number of milliseconds since 1970');
  }
  return { since };
}
