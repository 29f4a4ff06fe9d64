/**
 * Reads the events of many entries of the feed, log by log. A log whose entries lie close to each
 * other is read in one range; single events are got one by one, which then costs less.
 */
import type { StoredEvent } from '../../event/event.ts';
import {
  compareEventIds,
  type EventId,
  eventIdParts,
  laterOf,
  predecessorOf,
  successorOf,
} from '../../event/event-id.ts';
import type { StretchPlace } from '../feed-page.ts';
import { eventFrom } from './entry.ts';
import type { Databases, FeedEntry } from './layout.ts';

/** How many events one turn of the event loop reads: a few milliseconds' worth. */
const EVENTS_PER_TURN = 1_500;

/** From so many events on, one range is cheaper. */
const WORTH_A_RANGE = 4;

const NONE: readonly StoredEvent[] = [];

/** An entry of the feed, which tells of one stretch, and what was found of it. */
export class EventStretch implements StretchPlace {
  readonly position: number;
  readonly mark: FeedEntry;
  readonly index = 0;
  readonly count = 1;
  /** The event that it starts with; where the cursor was within, the one after that. */
  readonly first: EventId;
  events: readonly StoredEvent[] = NONE;
  /** Whether `events` go to its end. */
  complete = true;

  constructor(position: number, entry: FeedEntry, within: EventId | undefined) {
    this.position = position;
    this.mark = entry;
    this.first = within === undefined ? entry.first : successorOf(within)!;
  }

  /** The events of an append are successors of each other. */
  get size(): number {
    const { last } = this.mark;
    if (this.first === last) return 1;
    const [from, to] = [eventIdParts(this.first), eventIdParts(last)];
    const distance = ((to.milliseconds - from.milliseconds) << 64n) + to.sequence - from.sequence;
    return Number(distance) + 1;
  }

  /** Trimming takes the oldest. */
  get whole(): boolean {
    return this.events[0]?.id === this.first;
  }
}

export interface StretchBounds {
  /** How many events, and bytes of events, anybody needs at most of one log. */
  readonly room: number;
  readonly bytes: number;
  /** Through which event a log is trimmed although there may be some left, by its number. */
  readonly trims: ReadonlyMap<number, EventId>;
}

/** Finds the events of all `stretches`, which are in feed order. Yields where it has held the turn for long enough. */
export function* readStretches(
  { events }: Databases,
  stretches: readonly EventStretch[],
  bounds: StretchBounds,
): Generator<void, void> {
  let untilYield = EVENTS_PER_TURN;
  for (const ofLog of byLog(stretches)) {
    const { number } = ofLog[0]!.mark;
    if (ofLog.length < WORTH_A_RANGE && !bounds.trims.has(number) && ofLog.every(isSingle)) {
      for (const stretch of ofLog) {
        const found = events.get([number, stretch.first]);
        if (found !== undefined) stretch.events = [eventFrom(stretch.first, found)];
      }
      untilYield -= ofLog.length;
    } else {
      untilYield -= readRange(events, ofLog, bounds);
    }
    if (untilYield <= 0) {
      yield;
      untilYield = EVENTS_PER_TURN;
    }
  }
}

function isSingle({ first, mark }: EventStretch): boolean {
  return first === mark.last;
}

/** In the order in which LMDB keeps the logs, so that one finds the way that the one before has warmed. */
function byLog(stretches: readonly EventStretch[]): EventStretch[][] {
  const groups = new Map<number, EventStretch[]>();
  for (const stretch of stretches) {
    const { number } = stretch.mark;
    const group = groups.get(number);
    if (group === undefined) groups.set(number, [stretch]);
    else group.push(stretch);
  }
  return [...groups.values()].sort(([a], [b]) => a!.mark.number - b!.mark.number);
}

/** Nothing lies between two stretches of a log that are neighbours in the feed. */
function readRange(
  events: Databases['events'],
  stretches: readonly EventStretch[],
  bounds: StretchBounds,
): number {
  const { number } = stretches[0]!.mark;
  const before = predecessorOf(stretches[0]!.first);
  const range = {
    start: [number, laterOf(before, bounds.trims.get(number) ?? before)] as const,
    exclusiveStart: true,
    end: [number, stretches.at(-1)!.mark.last] as const,
    inclusiveEnd: true,
  };
  let count = 0;
  let bytes = 0;
  let at = 0;
  let found: StoredEvent[] = [];
  const close = (): void => {
    stretches[at]!.events = found;
    found = [];
    at += 1;
  };
  for (const { key, value } of events.getRange(range)) {
    const id = key[1];
    while (!reaches(stretches[at]!, id)) close();
    if (count >= bounds.room || (count > 0 && bytes > bounds.bytes)) {
      for (const stretch of stretches.slice(at)) stretch.complete = false;
      break;
    }
    const event = eventFrom(id, value);
    found.push(event);
    count += 1;
    bytes += event.size;
  }
  if (at < stretches.length) close();
  return count;
}

function reaches({ first, mark: { last } }: EventStretch, id: EventId): boolean {
  return id === last || (first !== last && compareEventIds(id, last) <= 0);
}
