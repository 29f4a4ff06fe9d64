/** What the feed tells of, without its events: answers of `entries.lua`, whose only key is the feed. */
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { type EntryMark, type FeedPlace, markedPosition } from '../../../feed/cursor.ts';
import type { Stretch } from '../../../feed/feed.ts';
import type { StretchPlace } from '../../../feed/page.ts';
import type { FeedFacts } from '../../../feed/standing.ts';
import { FEED_KEY } from '../keys.ts';
import type { CallScript } from '../place/scripts.ts';
import { feedOfOthers } from './feed-of-others.ts';
import { ENTRIES_SCRIPT } from './scripts.ts';

/** A stretch that was asked for, and where it stands. */
export interface PlacedStretch extends Stretch {
  readonly at: StretchPlace;
  /** No other one of its entry was asked for after it. */
  readonly isLast: boolean;
}

/** A part of the feed's index. */
export interface IndexPart extends FeedFacts {
  /** In feed order. */
  readonly stretches: readonly PlacedStretch[];
  /** The last entry gone through; undefined if there was none, or a hole comes next. */
  readonly through: { readonly position: number; readonly mark: EntryMark } | undefined;
}

/**
 * Reads on from `place`, whole entries; those of their stretches that lie before it are left out.
 * @param limit for about how many events; 0 for the facts alone
 * @param prefix what the names of the logs start with
 */
export async function readIndex(
  call: CallScript,
  place: FeedPlace,
  limit: number,
  prefix: string,
): Promise<IndexPart> {
  const { position, mark } = place;
  const marked = mark === undefined ? 0 : markedPosition(place);
  const reply = await call(ENTRIES_SCRIPT, [FEED_KEY], [position, marked, limit, prefix]);
  const [facts, body] = reply as [Buffer, Buffer];
  return { ...readFacts(facts.toString('latin1')), ...readBody(body.toString('latin1'), place) };
}

function readFacts(text: string): FeedFacts {
  const [first, next, end, log, last, endLog, endLast] = text.split(' ');
  if ([first, next, end].includes('-1')) {
    throw feedOfOthers();
  }
  return {
    first: Number(first),
    next: Number(next),
    end: Number(end),
    mark: markOf(log!, last!),
    last: markOf(endLog!, endLast!),
  };
}

function markOf(log: string, last: string): EntryMark | undefined {
  return last === '-' ? undefined : { log: log as LogName, last: last as EventId };
}

function readBody(
  text: string,
  { position: before, within }: FeedPlace,
): Pick<IndexPart, 'stretches' | 'through'> {
  const stretches: PlacedStretch[] = [];
  let through: IndexPart['through'];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const words = line.split(' ');
    const position = Number(words[0]);
    const count = Number(words[1]);
    const mark = { log: words[2] as LogName, last: words[3] as EventId };
    through = { position, mark };
    const from = position === before + 1 ? (within?.stretch ?? 0) : 0;
    for (let at = 4; at < words.length; at += 4) {
      const index = Number(words[at]);
      if (index < from) continue;
      stretches.push({
        log: words[at + 1] as LogName,
        first: words[at + 2] as EventId,
        last: words[at + 3] as EventId,
        at: { position, index, count, mark },
        isLast: at + 4 === words.length,
      });
    }
  }
  return { stretches, through };
}
