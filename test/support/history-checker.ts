/**
 * The judge of a run: compares what writers were told, what the log holds and what each reader
 * got, and names every broken promise. It knows nothing about how the run was made.
 *
 *   appends ──► log       every acknowledged one once, unknown ones at most once, refused ones
 *                         never, nothing else; the events of one append all there, side by
 *                         side; the appends of one writer in its order
 *   log ──► each reader   everything above its cursor, once, in order, nothing else, up to the
 *                         end; a reader that saw a lost event is told `reset` before it goes on
 */
import { isAfter } from '../../src/event/event-id.ts';
import { type Complaint, complaint, show } from './complaint.ts';
import type { AppendRecord, LogHistory, SeenEvent } from './history.ts';
import { ReaderWalk } from './reader-walk.ts';

/** Every broken promise of a run; none if all were kept. */
export function checkHistory(history: LogHistory): Complaint[] {
  return [
    ...checkLogOrder(history),
    ...checkAppends(history),
    ...history.readers.flatMap((reader) => new ReaderWalk(history, reader).complaints()),
  ];
}

function checkLogOrder({ log, events }: LogHistory): Complaint[] {
  return events.slice(1).flatMap((event, index) => {
    const before = events[index]!;
    if (isAfter(event.id, before.id)) return [];
    return complaint('log_out_of_order', `${log}: ${show(event)} is stored after ${show(before)}`);
  });
}

function checkAppends(history: LogHistory): Complaint[] {
  const { log, events, appends } = history;
  const places = new Map<string, number[]>();
  events.forEach((event, index) => {
    const known = places.get(event.tag);
    if (known === undefined) places.set(event.tag, [index]);
    else known.push(index);
  });
  const complaints = appends.flatMap((append) => checkAppend(history, append, places));
  complaints.push(...checkWriters(history, places));

  const appended = new Set(appends.flatMap((append) => append.tags));
  for (const event of events) {
    if (!appended.has(event.tag)) {
      complaints.push(
        ...complaint('foreign_in_log', `${log}: nobody in this run appended ${show(event)}`),
      );
    }
  }
  return complaints;
}

function checkAppend(
  history: LogHistory,
  append: AppendRecord,
  places: ReadonlyMap<string, readonly number[]>,
): Complaint[] {
  const { log, events } = history;
  const { writer, tags, outcome, ids } = append;
  const where = `${log}, ${writer}`;
  const found = tags.map((tag) => places.get(tag) ?? []);

  const twice = tags.filter((_, index) => found[index]!.length > 1);
  if (twice.length > 0) {
    const all = twice.map((tag) => `${tag} at ${idsAt(events, places.get(tag)!)}`);
    return complaint('appended_twice', `${where}: ${outcome}, in the log twice: ${all.join('; ')}`);
  }
  const there = tags.filter((_, index) => found[index]!.length === 1);
  if (outcome === 'refused') {
    if (there.length === 0) return [];
    return complaint('refused_but_there', `${where}: refused, yet in the log: ${there.join(', ')}`);
  }
  if (there.length < tags.length) {
    const gone = tags.filter((tag) => !there.includes(tag));
    if (isTrimmedAway(history, append, gone)) return [];
    if (there.length > 0) {
      const message = `${where}: of one append ${there.join(', ')} is there, ${gone.join(', ')} is not`;
      return complaint('not_atomic', message);
    }
    if (outcome === 'unknown' || history.lossyStore === true) return [];
    const answered = ids.length > 0 ? ` as ${ids.join(', ')}` : '';
    const message = `${where}: acknowledged${answered}, not in the log: ${gone.join(', ')}`;
    return complaint('acknowledged_missing', message);
  }
  const indexes = found.map((list) => list[0]!);
  if (indexes.some((place, index) => place !== indexes[0]! + index)) {
    const message = `${where}: the events of one append are not side by side: ${idsAt(events, indexes)}`;
    return complaint('not_atomic', message);
  }
  return ids.flatMap((id, index) => {
    const stored = events[indexes[index]!]!;
    if (stored.id === id) return [];
    return complaint('wrong_id_answered', `${where}: ${show(stored)} was answered as ${id}`);
  });
}

/** A writer's acknowledged appends lie in the log in the order in which it made them. */
function checkWriters(
  { log, events, appends }: LogHistory,
  places: ReadonlyMap<string, readonly number[]>,
): Complaint[] {
  const last = new Map<string, number>();
  return appends.flatMap(({ writer, tags, outcome }) => {
    const place = outcome === 'acknowledged' ? places.get(tags[0]!)?.[0] : undefined;
    if (place === undefined) return [];
    const before = last.get(writer) ?? -1;
    last.set(writer, place);
    if (place > before) return [];
    const message = `${log}, ${writer}: ${show(events[place]!)} was appended after ${show(events[before]!)}`;
    return complaint('writer_out_of_order', message);
  });
}

/** Whether trimming explains the absence: the answered IDs say that they lie at or below the mark. */
function isTrimmedAway(
  { trimmed }: LogHistory,
  append: AppendRecord,
  gone: readonly string[],
): boolean {
  if (trimmed === undefined) return false;
  if (append.ids.length === 0) return true;
  return gone.every((tag) => {
    const id = append.ids[append.tags.indexOf(tag)];
    return id !== undefined && !isAfter(id, trimmed);
  });
}

function idsAt(events: readonly SeenEvent[], indexes: readonly number[]): string {
  return indexes.map((index) => events[index]?.id ?? '?').join(', ');
}
