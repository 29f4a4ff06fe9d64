/** The rules for where a subscription starts; types hold nobody back who calls from JavaScript. */
import { InvalidInput } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { Start } from '../event/start.ts';
import { checkEventId } from '../log/options.ts';

const RULE = "must be { after: an event ID }, { since: milliseconds since 1970 } or 'now'";

/** @throws InvalidInput naming the field that breaks a rule */
export function checkStart(start: unknown): Start {
  if (start === 'now') return start;
  if (typeof start !== 'object' || start === null) throw new InvalidInput('start', RULE);
  const { after, since, ...others } = start as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const where = unknown === 'signal' ? '; the signal goes into the argument after it' : '';
    throw new InvalidInput(`start.${unknown}`, `is not known: start ${RULE}${where}`);
  }
  if ((after === undefined) === (since === undefined)) {
    throw new InvalidInput('start', `${RULE}, and not two of them`);
  }
  if (after !== undefined) return { after: checkEventId(after as EventId, 'start.after') };
  if (typeof since !== 'number' || !Number.isFinite(since)) {
    throw new InvalidInput('start.since', 'must be a number of milliseconds since 1970');
  }
  return { since };
}
