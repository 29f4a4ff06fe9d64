/** What a memory store keeps of its logs. All of it happens within the call: nothing comes between. */
import { type EventId, isAfter, laterOf, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { LogFacts } from '../../../event/standing.ts';
import { judgeTrim } from '../../../log/guarded-trim.ts';
import type {
  KeptLogs,
  LogRange,
  Look,
  Sight,
  TrimGuard,
  TrimOutcome,
} from '../../../log/kept-logs.ts';
import { takePage } from '../../../log/page.ts';
import { emptyContents, type LogContents, placeAfter, placeOf } from './contents.ts';

export class MemoryKeptLogs implements KeptLogs {
  contents = new Map<LogName, LogContents>();
  readonly #mustBeOpen: () => void;

  constructor(mustBeOpen: () => void) {
    this.#mustBeOpen = mustBeOpen;
  }

  async look(log: LogName, { cursor, range, limit, maxBytes }: Look): Promise<Sight> {
    this.#mustBeOpen();
    const contents = this.contents.get(log) ?? emptyContents();
    return {
      version: contents.version,
      stamp: stampOf(contents),
      facts: cursor === undefined ? undefined : factsOf(contents, cursor),
      ...takePage(stretchOf(contents, range), limit, maxBytes),
    };
  }

  async before(log: LogName, count: number): Promise<EventId> {
    this.#mustBeOpen();
    return this.contents.get(log)?.events.at(-count - 1)?.id ?? ZERO_ID;
  }

  async trim(log: LogName, through: EventId, guard?: TrimGuard): Promise<TrimOutcome> {
    this.#mustBeOpen();
    const contents = this.contents.get(log);
    if (contents === undefined) return guard === undefined ? 'trimmed' : 'changed';
    if (guard !== undefined) {
      const { outcome, guarded } = judgeTrim(contents.guarded, through, guard.fence, () => {
        return stampOf(contents) === guard.condition && holds(contents, through);
      });
      contents.guarded = guarded;
      if (outcome !== 'trimmed') return outcome;
    }
    const mark = isAfter(through, contents.version) ? contents.version : through;
    contents.events.splice(0, placeAfter(contents.events, mark));
    contents.trimmed = laterOf(contents.trimmed, mark);
    return 'trimmed';
  }
}

/** Events go by trims alone, and each of those moves the mark. */
function stampOf({ trimmed }: LogContents): string {
  return trimmed;
}

function holds({ events }: LogContents, id: EventId): boolean {
  return events[placeOf(events, id)]?.id === id;
}

function factsOf(contents: LogContents, cursor: EventId): LogFacts {
  const { events, version, trimmed } = contents;
  return {
    version,
    first: events[0]?.id,
    trimmed,
    maxDeleted: ZERO_ID,
    othersRemoved: false,
    holdsCursor: holds(contents, cursor),
  };
}

function stretchOf({ events }: LogContents, { after, before, reverse }: LogRange) {
  const from = placeAfter(events, after);
  const beyond = before === undefined ? events.length : placeOf(events, before);
  const stretch = events.slice(from, Math.max(from, beyond));
  return reverse ? stretch.reverse() : stretch;
}
