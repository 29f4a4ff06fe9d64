/**
 * Dead letters: events that a group could not handle. They are told of in the log
 * `dead-letter:{group}`, which can be read and followed like any other:
 *
 *   DeadLettered { log, id, type, attempts, error, at, after? }   its own ID names the dead letter
 *   Redriven     { letter, log, id }                              it was handled after all
 *   Discarded    { letter, log, id }                              somebody gave it up
 *   Skipped      { letter, log, id, reason }                      its event was gone when it was redriven
 *
 * A redrive that fails writes DeadLettered once more, with the letter before it as `after`.
 * Each of these is written once, also when its writer dies and another does it again.
 */
import { MillraceError } from '../event/error.ts';
import type { JsonValue, Meta, StoredEvent } from '../event/event.ts';
import { type EventId, isEventId, ZERO_ID } from '../event/event-id.ts';
import { DEAD_LETTER_CATEGORY, type LogName, parseLogName } from '../event/log-name.ts';
import { senderOf } from '../event/senders.ts';
import type { EventLog } from '../log/log.ts';
import { checkGroup } from '../work-queues/rules.ts';
import type { WorkQueues } from '../work-queues/work-queues.ts';
import { findEvent, type LossReason } from './find-event.ts';
import { once } from './once.ts';

const PAGE = 1_000;

/** An event that a group has given up for now. */
export interface DeadLetter {
  /** Names the dead letter; the ID of the event that tells of it. */
  readonly letter: EventId;
  readonly log: LogName;
  /** The event that could not be handled. */
  readonly id: EventId;
  readonly type: string;
  /**
   * How often it was tried before it became this dead letter. A redrive tries it once, and makes
   * another one, with 1, when that fails.
   */
  readonly attempts: number;
  /** What the handler threw last: its message, or what else can be said of it; 1,000 characters at most. */
  readonly error: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly at: number;
}

/** What became of a redrive that was asked for. */
export interface Redriving extends DeadLetter {
  /** Why there is nothing to be handled any more: the dead letter is closed. Left out: it is going to be handled. */
  readonly skipped?: LossReason;
}

/** There is no such dead letter, or it has been redriven or discarded. */
export class NoDeadLetter extends MillraceError {
  constructor(group: string, letter: string) {
    super(
      'no_dead_letter',
      `the group ${group} has no open dead letter ${letter}; list those it has`,
    );
  }
}

/** The log that tells of a group's dead letters. @throws InvalidInput */
export function deadLetterLog(group: string): LogName {
  return parseLogName(`${DEAD_LETTER_CATEGORY}:${checkGroup(group)}`, 'group');
}

/** The dead letters that are open, in the order in which they were given up. */
export async function listDeadLetters(
  eventLog: Pick<EventLog, 'read'>,
  group: string,
): Promise<readonly DeadLetter[]> {
  const open = new Map<string, DeadLetter>();
  const log = deadLetterLog(group);
  let after: EventId = ZERO_ID;
  for (;;) {
    const page = await eventLog.read(log, { after, limit: PAGE, unchecked: true });
    for (const event of page.events) fold(open, event);
    const last = page.events[page.events.length - 1];
    if (!page.more || last === undefined) return [...open.values()];
    after = last.id;
  }
}

/**
 * Has the group handle a dead letter's event once more. It stays listed until that has succeeded.
 * One whose event was trimmed is closed instead, and a log that is on hold for it goes on.
 * @throws NoDeadLetter; WrongType: the log's key holds something else; OutcomeUnknown: it may have
 *   been asked for; asking again does no harm
 */
export async function redriveDeadLetter(
  store: { readonly log: Pick<EventLog, 'read' | 'append'>; readonly workQueues: WorkQueues },
  group: string,
  letter: string,
): Promise<Redriving> {
  const found = await findDeadLetter(store.log, group, letter);
  const { log, id } = found;
  const request = { log, event: id, letter: found.letter };
  const event = await findEvent(store.log, log, id);
  if (typeof event !== 'string') {
    await store.workQueues.redrive(group, request);
    return found;
  }
  await store.workQueues.discard(group, request);
  await settleLetter(store.log, group, 'Skipped', found.letter, { log, id, reason: event });
  return { ...found, skipped: event };
}

/** Gives a dead letter up; where its log is on hold for it, that ends. @throws NoDeadLetter */
export async function discardDeadLetter(
  store: { readonly log: Pick<EventLog, 'read' | 'append'>; readonly workQueues: WorkQueues },
  group: string,
  letter: string,
): Promise<DeadLetter> {
  const found = await findDeadLetter(store.log, group, letter);
  const { log, id } = found;
  await store.workQueues.discard(group, { log, event: id, letter: found.letter });
  await settleLetter(store.log, group, 'Discarded', found.letter, { log, id });
  return found;
}

/** Tells of an event that is given up. @param after the dead letter whose redrive has failed */
export async function writeDeadLetter(
  eventLog: Pick<EventLog, 'append'>,
  group: string,
  dead: Omit<DeadLetter, 'letter'>,
  meta: Meta,
  after: EventId | undefined,
): Promise<void> {
  const { log, id, type, attempts, error, at } = dead;
  const payload = { log, id, type, attempts, error, at, ...(after && { after }) };
  await eventLog.append(deadLetterLog(group), [{ type: 'DeadLettered', payload, meta }], {
    producer: once('DeadLettered', log, id, after ?? ''),
  });
}

/** Tells what became of a dead letter. */
export async function settleLetter(
  eventLog: Pick<EventLog, 'append'>,
  group: string,
  type: 'Redriven' | 'Discarded' | 'Skipped',
  letter: EventId,
  of: { readonly log: LogName; readonly id: EventId; readonly reason?: LossReason },
): Promise<void> {
  const payload = { letter, ...of };
  await eventLog.append(deadLetterLog(group), [{ type, payload }], {
    producer: once(type, letter),
  });
}

async function findDeadLetter(
  eventLog: Pick<EventLog, 'read'>,
  group: string,
  letter: string,
): Promise<DeadLetter> {
  const letters = await listDeadLetters(eventLog, group);
  const found = letters.find((each) => each.letter === letter);
  if (found === undefined) throw new NoDeadLetter(group, letter);
  return found;
}

/** Others can write to the log of dead letters: what is not as it should be is passed over. */
function fold(open: Map<string, DeadLetter>, event: StoredEvent): void {
  const { id: letter, type, payload } = event;
  // A gateway takes none now; it has not always been so.
  if (senderOf(event) !== undefined) return;
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return;
  const facts = payload as Readonly<Record<string, JsonValue | undefined>>;
  if (type === 'DeadLettered') {
    const { log, id, type: of, attempts, error, at, after } = facts;
    if (!isLog(log) || typeof id !== 'string' || !isEventId(id)) return;
    if (after !== undefined) open.delete(String(after));
    open.set(letter, {
      ...{ letter, log, id, type: String(of ?? 'unknown'), error: String(error ?? '') },
      ...{ attempts: Number(attempts) || 0, at: Number(at) || 0 },
    });
  } else if (type === 'Redriven' || type === 'Discarded' || type === 'Skipped') {
    open.delete(String(facts.letter));
  }
}

function isLog(text: unknown): text is LogName {
  try {
    return parseLogName(String(text)) !== undefined;
  } catch {
    return false;
  }
}
