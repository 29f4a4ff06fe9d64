/** The index of the feed on Redis, and the marks of all logs beside it; neither touches a log. */
import { isEventId } from '../../../event/event-id.ts';
import { isLogName } from '../../../event/log-name.ts';
import { BEFORE_FIRST, type EntryMark, type FeedPlace } from '../../../feed/cursor.ts';
import type { FeedCursor, Stretch } from '../../../feed/feed.ts';
import type { FeedIndex, IndexPage } from '../../../feed/feed-index.ts';
import { indexPage, indexPlace } from '../../../feed/index-page.ts';
import { endCursor, type FeedFacts } from '../../../feed/standing.ts';
import { FEED_KEY, FEED_MARKS_KEY } from '../keys.ts';
import type { Needs } from '../place/rights.ts';
import type { CallScript } from '../place/scripts.ts';
import { feedOfOthers } from './feed-of-others.ts';
import { MARKS_SCRIPT, STRETCHES_SCRIPT } from './scripts.ts';

/** What its user must be allowed to do in Redis. */
export const FEED_INDEX_NEEDS: Needs = {
  commands: ['xinfo|stream', 'xrange', 'hscan'],
  keys: { [FEED_KEY]: FEED_KEY, [FEED_MARKS_KEY]: FEED_MARKS_KEY },
};

/** One step of going over the marks. */
export interface MarksPage {
  /** Up to where the feed knows each of these logs. */
  readonly marks: readonly EntryMark[];
  /** Where to go on; `undefined` at the end. */
  readonly next: string | undefined;
}

/** Where going over the marks begins. */
export const FIRST_MARKS = '0';

type Facts = [
  ...[next: string, end: string, log: string, last: string],
  ...[endLog: string, endLast: string, to: string, toLog: string, toLast: string],
];

interface Reply {
  readonly facts: FeedFacts;
  /** After the last entry that was read. */
  readonly to: FeedPlace;
  /** Log, `first last`, log, `first last`, … */
  readonly told: readonly string[];
}

export class RedisFeedIndex implements FeedIndex {
  readonly #call: CallScript;

  constructor(call: CallScript) {
    this.#call = call;
  }

  async read(after: FeedCursor, entries: number, category: string): Promise<IndexPage> {
    const place = indexPlace(after);
    const { position } = place ?? BEFORE_FIRST;
    const { facts, to, told } = await this.#read(position, entries, category);
    return indexPage(after, place, facts, to, stretchesOf(told));
  }

  async end(): Promise<FeedCursor> {
    const { facts } = await this.#read(0, 0, '');
    return endCursor(facts);
  }

  /**
   * Goes over the marks of a category's logs ('' for all), `count` of them at a time (about). What
   * is marked from the first step to the last is told of at least once.
   */
  async marks(from: string, count: number, category: string): Promise<MarksPage> {
    const reply = await this.#call(
      MARKS_SCRIPT,
      [FEED_MARKS_KEY],
      [from, count, prefixOf(category)],
    );
    const [next, ...found] = reply as [string, ...string[]];
    const marks: EntryMark[] = [];
    for (let index = 0; index < found.length; index += 2) {
      const mark = markOf(found[index]!, found[index + 1]!);
      if (mark !== undefined) marks.push(mark);
    }
    return { marks, next: next === '0' ? undefined : next };
  }

  async #read(position: number, entries: number, category: string): Promise<Reply> {
    const values = [position, entries, prefixOf(category)];
    const reply = await this.#call(STRETCHES_SCRIPT, [FEED_KEY], values);
    const [facts, ...told] = reply as [string, ...string[]];
    const [next, end, log, last, endLog, endLast, to, toLog, toLast] = facts.split(' ') as Facts;
    if (end === '-1') throw feedOfOthers();
    return {
      facts: {
        ...{ first: Number(next), next: Number(next), mark: markOf(log, last) },
        ...{ end: Number(end), last: markOf(endLog, endLast) },
      },
      to: { ...BEFORE_FIRST, position: Number(to), mark: markOf(toLog, toLast) },
      told,
    };
  }
}

function prefixOf(category: string): string {
  return category === '' ? '' : `${category}:`;
}

function markOf(log: string, last: string): EntryMark | undefined {
  return isLogName(log) && isEventId(last) ? { log, last } : undefined;
}

function stretchesOf(told: readonly string[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (let index = 0; index < told.length; index += 2) {
    const log = told[index]!;
    const [first = '', last = '', ...rest] = told[index + 1]!.split(' ');
    // Others can have added anything.
    if (rest.length > 0 || !isLogName(log) || !isEventId(first) || !isEventId(last)) continue;
    stretches.push({ log, first, last });
  }
  return stretches;
}
