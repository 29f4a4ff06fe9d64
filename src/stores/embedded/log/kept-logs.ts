/** What the embedded store keeps of its logs: looking at one, and trimming it. */
import type { StoredEvent } from '../../../event/event.ts';
import {
  compareEventIds,
  type EventId,
  isAfter,
  laterOf,
  MAX_ID,
  ZERO_ID,
} from '../../../event/event-id.ts';
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
import { readFailure } from '../embedded-store.ts';
import type { GroupCommit, WriteBatch } from '../group-commit.ts';
import type { Databases, EventKey, LogHead } from '../layout.ts';
import type { KeyRange } from '../ordered-map.ts';
import { eventFrom } from './entry.ts';
import { type LogStage, NO_LOG } from './log-stage.ts';
import { Trimmer } from './trimmer.ts';

export interface EmbeddedKeeping {
  readonly databases: Databases;
  readonly commits: GroupCommit;
  /** Reads in one of the next turns. All that `read` does sees the same moment: it does not wait anywhere. */
  readonly read: <T>(read: () => T) => Promise<T>;
  /** Throws when the log was closed: the store may be open for others. */
  readonly mustBeOpen: () => void;
  /** What the batch has changed so far. */
  readonly stage: (batch: WriteBatch) => LogStage;
}

export class EmbeddedKeptLogs implements KeptLogs {
  readonly #databases: Databases;
  readonly #keeping: EmbeddedKeeping;
  readonly #trimmer: Trimmer;

  constructor(keeping: EmbeddedKeeping) {
    this.#databases = keeping.databases;
    this.#keeping = keeping;
    this.#trimmer = new Trimmer(keeping.databases, keeping.commits);
    this.#trimmer.resume();
  }

  look(log: LogName, { cursor, range, limit, maxBytes }: Look): Promise<Sight> {
    return this.#keeping.read(() => {
      const head = this.#databases.logs.get(log) ?? NO_LOG;
      return {
        version: head.version,
        stamp: stampOf(head),
        facts: cursor === undefined ? undefined : this.#facts(head, cursor),
        ...takePage(this.#events(keysOf(head, range)), limit, maxBytes),
      };
    });
  }

  before(log: LogName, count: number): Promise<EventId> {
    return this.#keeping.read(() => {
      const { number, trimmed } = this.#databases.logs.get(log) ?? NO_LOG;
      const range = {
        start: [number, MAX_ID] as const,
        end: [number, trimmed] as const,
        reverse: true,
        limit: count + 1,
      };
      let place = ZERO_ID;
      let passed = 0;
      for (const [, id] of this.#databases.events.getKeys(range)) {
        place = id;
        passed += 1;
      }
      return passed > count ? place : ZERO_ID;
    });
  }

  async trim(log: LogName, through: EventId, guard?: TrimGuard): Promise<TrimOutcome> {
    this.#keeping.mustBeOpen();
    let decided: TrimDecision = { outcome: 'trimmed' };
    await new Promise<void>((resolve, reject) => {
      this.#keeping.commits.submit({
        bytes: 0,
        frees: true,
        decide: (batch) => {
          decided = this.#decideTrim(batch, log, through, guard);
        },
        settle: resolve,
        fail: (error) => reject(readFailure(error)),
      });
    });
    if (decided.mark !== undefined) this.#trimmer.add(log, decided.mark);
    return decided.outcome;
  }

  /** What is still to be removed is left to who opens the store next. */
  stop(): void {
    this.#trimmer.stop();
  }

  #decideTrim(
    batch: WriteBatch,
    log: LogName,
    through: EventId,
    guard: TrimGuard | undefined,
  ): TrimDecision {
    const stage = this.#keeping.stage(batch);
    let head = stage.head(log);
    if (head.number === 0) return { outcome: guard === undefined ? 'trimmed' : 'changed' };
    if (guard !== undefined) {
      const { outcome, guarded } = judgeTrim(head.guarded, through, guard.fence, () => {
        return stampOf(head) === guard.condition && this.#holds(head, through);
      });
      if (outcome === 'fenced') return { outcome };
      head = { ...head, guarded };
      stage.changeHead(log, head);
      if (outcome === 'changed') return { outcome };
    }
    const mark = isAfter(through, head.version) ? head.version : through;
    if (!isAfter(mark, head.trimmed)) return { outcome: 'trimmed' };
    stage.changeHead(log, { ...head, trimmed: mark });
    stage.addTrim(batch, log, head.number, mark);
    return { outcome: 'trimmed', mark };
  }

  #holds({ number, trimmed }: LogHead, id: EventId): boolean {
    return isAfter(id, trimmed) && this.#databases.events.doesExist([number, id]);
  }

  #facts(head: LogHead, cursor: EventId): LogFacts {
    const holdsCursor = this.#holds(head, cursor);
    return {
      version: head.version,
      first: holdsCursor ? cursor : this.#firstKept(head),
      trimmed: head.trimmed,
      maxDeleted: ZERO_ID,
      othersRemoved: false,
      holdsCursor,
    };
  }

  #firstKept({ number, trimmed }: LogHead): EventId | undefined {
    const range = {
      start: [number, trimmed] as const,
      exclusiveStart: true,
      end: [number + 1, ZERO_ID] as const,
      limit: 1,
    };
    for (const [, id] of this.#databases.events.getKeys(range)) return id;
    return undefined;
  }

  *#events(range: KeyRange<EventKey> | undefined): Iterable<StoredEvent> {
    if (range === undefined) return;
    for (const { key, value } of this.#databases.events.getRange(range)) {
      yield eventFrom(key[1], value);
    }
  }
}

/** What came of a trim, and the mark if it moved. */
interface TrimDecision {
  readonly outcome: TrimOutcome;
  readonly mark?: EventId;
}

/** Events go by trims alone, and each of those moves the mark. */
function stampOf({ trimmed }: LogHead): string {
  return trimmed;
}

/** Where the range lies, without what was trimmed: that may still be there. */
function keysOf(
  { number, trimmed }: LogHead,
  { after, before, reverse }: LogRange,
): KeyRange<EventKey> | undefined {
  const lower = laterOf(after, trimmed);
  if (before !== undefined && compareEventIds(before, lower) <= 0) return undefined;
  if (reverse) {
    return {
      start: [number, before ?? MAX_ID],
      exclusiveStart: before !== undefined,
      end: [number, lower],
      reverse,
    };
  }
  return {
    start: [number, lower],
    exclusiveStart: true,
    end: before === undefined ? [number + 1, ZERO_ID] : [number, before],
  };
}
