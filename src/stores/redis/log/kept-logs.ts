/** What Redis keeps of the logs: one script looks, another one trims; see `read.lua` and `trim.lua`. */
import { type EventId, MAX_ID, successorOf, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type {
  KeptLogs,
  LogRange,
  Look,
  Sight,
  TrimGuard,
  TrimOutcome,
} from '../../../log/kept-logs.ts';
import { logKey, metaKey } from '../keys.ts';
import type { CallScript } from '../place/scripts.ts';
import { decodeEntries } from './entries.ts';
import { BEFORE_SCRIPT, READ_SCRIPT, TRIM_SCRIPT } from './scripts.ts';

/** About how many events a step of a trim removes, so that none holds Redis for long. */
const TRIM_STEP = 10_000;

/** About how many bytes of events are passed in a step on the way back from the end of a log. */
const PASSING_STEP = 1_048_576;

export class RedisKeptLogs implements KeptLogs {
  readonly #call: CallScript;

  constructor(call: CallScript) {
    this.#call = call;
  }

  async look(log: LogName, { cursor, range, limit, maxBytes }: Look): Promise<Sight> {
    const asked = cursor === ZERO_ID ? undefined : cursor;
    const reply = await this.#call(
      READ_SCRIPT,
      [logKey(log), metaKey(log)],
      [...bounds(range, asked), limit, maxBytes, range.reverse ? '1' : '', asked ?? ''],
    );
    const [text, entries] = reply as [Buffer, Buffer];
    const [version, first, maxDeleted, added, length, trimmed, removed, holdsCursor, more] = text
      .toString('latin1')
      .split(' ') as [EventId, EventId, EventId, string, string, EventId, string, string, string];
    const gone = Number(added) - Number(length);
    const facts = {
      version,
      first: (first as string) === '-' ? undefined : first,
      trimmed,
      maxDeleted,
      othersRemoved: gone > Number(removed),
      holdsCursor: holdsCursor === '1',
    };
    return {
      version,
      // As `trim.lua` makes it.
      stamp: `${trimmed} ${first} ${gone}`,
      facts: cursor === undefined ? undefined : facts,
      events: decodeEntries(entries)!,
      more: more === '1',
    };
  }

  async before(log: LogName, count: number): Promise<EventId> {
    const keys = [logKey(log), metaKey(log)];
    let from = '+';
    let left = count + 1;
    for (;;) {
      const reply = await this.#call(BEFORE_SCRIPT, keys, [from, left, PASSING_STEP]);
      const [passed, last, isFirst] = reply as [number, Buffer, number];
      left -= passed;
      if (left === 0) return last.toString('latin1') as EventId;
      if (isFirst === 1) return ZERO_ID;
      from = `(${last.toString('latin1')}`;
    }
  }

  async trim(log: LogName, through: EventId, guard?: TrimGuard): Promise<TrimOutcome> {
    const after = successorOf(through) ?? MAX_ID;
    const keys = [logKey(log), metaKey(log)];
    const step = (size: number) =>
      this.#call(TRIM_SCRIPT, keys, [
        ...[through, after, size],
        ...(guard === undefined ? [] : [guard.condition, guard.fence]),
      ]);
    let removed: unknown;
    do removed = await step(TRIM_STEP);
    while (typeof removed === 'number' && removed > 0);
    if (removed === 0) removed = await step(0);
    return typeof removed === 'number' ? 'trimmed' : (String(removed) as TrimOutcome);
  }
}

/**
 * As XRANGE or XREVRANGE takes them. A range that begins at the cursor includes it: its own event
 * is then met on the way, and not looked for.
 */
function bounds({ after, before, reverse }: LogRange, cursor: EventId | undefined): string[] {
  const low = after === cursor || after === ZERO_ID ? after : `(${after}`;
  // Redis takes no exclusive bound where nothing lies beyond it.
  const lowest = low === `(${MAX_ID}` ? MAX_ID : low;
  const highest = before === undefined ? '+' : before === ZERO_ID ? ZERO_ID : `(${before}`;
  return reverse ? [highest, lowest] : [lowest, highest];
}
