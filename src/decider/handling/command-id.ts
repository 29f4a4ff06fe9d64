/**
 * Commands that count once, however often they are handled. The idea is Kafka's idempotent
 * producer: a command ID is a producer of its own, of which the log takes one append.
 *
 *   never appended ──► append with producer (hash of the ID, epoch 0, seq 0) ──► the log knows it
 *   known for 7 days ──► the same append is answered `duplicate`, with the IDs of the first
 *   forgotten since ──► `meta.commandId` on the events still says so: the log is searched
 *
 * `meta.commandHash` on the first of those events says whether it was this command.
 */

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { InvalidInput } from '../../event/error.ts';
import type { NewEvent, StoredEvent } from '../../event/event.ts';
import {
  compareEventIds,
  cursorBefore,
  type EventId,
  isAfter,
  MAX_ID,
  predecessorOf,
  ZERO_ID,
} from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Producer } from '../../event/producer.ts';
import { senderOf } from '../../event/senders.ts';
import { VersionConflict } from '../../event/store-errors.ts';
import { kindOf } from '../../event/thrown.ts';
import type { EventLog } from '../../log/log.ts';
import { DEFAULT_PRODUCER_IDLE } from '../../log/options.ts';
import { timeOf } from '../../typed/recorded.ts';
import { CommandIdReused, StateLost } from '../errors.ts';

const MAX_COMMAND_ID_LENGTH = 1_024;
/** 132 bits: nobody finds two commands with the same. */
const HASH_LENGTH = 22;
const PAGE = { limit: 1_000, maxBytes: 1_048_576, unchecked: true };

/** Clocks differ, and a search costs little: from a day before producers are forgotten. */
const SEARCHED_AGE = DEFAULT_PRODUCER_IDLE - 24 * 60 * 60 * 1000;

/** The log is only asked whether it knows the producer: no log can be at this version and take more. */
const PROBE: NewEvent = { type: 'Probe', payload: '' };

type Log = Pick<EventLog, 'append' | 'read'>;

/** What tells a command from all others of its log, as its events carry it in their meta. */
export interface CommandIdentity {
  readonly commandId: string;
  /** Of what it says: another command under the same ID has another one. */
  readonly commandHash: string;
}

/** @throws InvalidInput */
export function identityOf(
  decider: string,
  command: unknown,
  commandId: string | undefined,
): CommandIdentity | undefined {
  if (commandId === undefined) return undefined;
  return { commandId, commandHash: commandHash(decider, command) };
}

/**
 * @param first of the events that the log has under the producer of this command
 * @throws CommandIdReused when another command has led to it
 */
export function mustBeOf(
  { commandId, commandHash }: CommandIdentity,
  log: LogName,
  first: StoredEvent,
): void {
  const { meta = {} } = first;
  // Events from before there were hashes have none, and are taken for the same.
  const hash = meta.commandHash ?? commandHash;
  const isOurs = senderOf(first) === undefined && meta.commandId === commandId;
  if (!isOurs || hash !== commandHash) throw new CommandIdReused(log, commandId);
}

/** @throws InvalidInput */
export function checkCommandId(commandId: string): void {
  const isText = typeof commandId === 'string' && commandId.isWellFormed();
  if (isText && commandId.length > 0 && commandId.length <= MAX_COMMAND_ID_LENGTH) return;
  throw new InvalidInput(
    'commandId',
    `must be well-formed text of 1 to ${MAX_COMMAND_ID_LENGTH} characters`,
  );
}

/** The producer that a command is. */
export function producerOf(commandId: string): Producer {
  return { id: `command:${textHash(commandId)}`, epoch: 0, seq: 0 };
}

/**
 * The IDs of the events that the command led to, if the log remembers its producer. Changes
 * nothing: the log looks at the producer first, and then refuses the version that it is not at.
 */
export async function probe(
  eventLog: Log,
  log: LogName,
  producer: Producer,
): Promise<readonly EventId[] | undefined> {
  try {
    const { ids } = await eventLog.append(log, [PROBE], { producer, expected: MAX_ID });
    return ids;
  } catch (error) {
    if (error instanceof VersionConflict) return undefined;
    throw error;
  }
}

/** Whether the log may have forgotten a producer that appended at that time. */
export function mayBeForgotten(since: EventId | number, now: number): boolean {
  return now - (typeof since === 'number' ? since : timeOf(since)) > SEARCHED_AGE;
}

/**
 * The IDs of the events at or after `since` that carry the command in `meta.commandId`.
 * @throws StateLost when that part of the log was trimmed, so that nobody can tell
 */
export async function searchCommand(
  eventLog: Log,
  log: LogName,
  commandId: string,
  since: EventId | number,
): Promise<readonly EventId[] | undefined> {
  const from = typeof since === 'number' ? cursorBefore(since) : predecessorOf(since);
  // Most events are passed over without parsing their meta.
  const mark = JSON.stringify(commandId).slice(1, -1);
  const found: EventId[] = [];
  for await (const event of eventsBetween(eventLog, log, from, undefined)) {
    const isFound = event.rawMeta?.includes(mark) && event.meta?.commandId === commandId;
    // Gateways take no command IDs now; they have not always been so.
    if (isFound && senderOf(event) === undefined) found.push(event.id);
    else if (found.length > 0) break;
  }
  if (found.length > 0) return found;
  const { standing } = await eventLog.read(log, { after: ZERO_ID, limit: 0 });
  if (standing.state === 'trimmed' && isAfter(standing.resumeAfter, from)) {
    throw new StateLost(
      log,
      standing.resumeAfter,
      'whether the command was handled before, as long ago as it may have been, cannot be told',
    );
  }
  return undefined;
}

/** The events with these IDs, which lie next to each other; those that are still there. */
export async function eventsOf(
  eventLog: Log,
  log: LogName,
  ids: readonly EventId[],
): Promise<StoredEvent[]> {
  const [first, last] = [ids[0], ids[ids.length - 1]];
  const events: StoredEvent[] = [];
  if (first === undefined || last === undefined) return events;
  for await (const event of eventsBetween(eventLog, log, predecessorOf(first), last)) {
    events.push(event);
  }
  return events;
}

/** The events after `from`, up to and including `last`. */
async function* eventsBetween(
  eventLog: Log,
  log: LogName,
  from: EventId,
  last: EventId | undefined,
): AsyncGenerator<StoredEvent> {
  let after = from;
  for (;;) {
    const { events, more } = await eventLog.read(log, { ...PAGE, after });
    for (const event of events) {
      if (last !== undefined && compareEventIds(event.id, last) > 0) return;
      yield event;
      after = event.id;
    }
    if (!more || after === last) return;
  }
}

/**
 * A short name for what a command says, and to which decider: two commands are the same if it is.
 * @throws InvalidInput when it refers to itself, or something in it throws when it is looked at
 */
export function commandHash(decider: string, command: unknown): string {
  try {
    return textHash(`${decider}\n${canonicalText(command)}`).slice(0, HASH_LENGTH);
  } catch (cause) {
    throw new InvalidInput(
      'command',
      `must be a value that can be written down, to be handled under a commandId: no circles, and nothing that throws when it is looked at (${kindOf(cause)})`,
    );
  }
}

/**
 * JSON with its members in order, and what JSON has no words for written out. It is only ever
 * compared, never read. Members that are `undefined`, functions or symbols are left out, as
 * by JSON.
 */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      return value === null ? 'null' : textOfObject(value);
    case 'number':
      return value === 0 ? '0' : String(value);
    case 'boolean':
      return String(value);
    default:
      return 'undefined';
  }
}

function textOfObject(value: object): string {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return `bytes(${Buffer.from(buffer, byteOffset, byteLength).toString('base64')})`;
  }
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (value instanceof Map) return `map(${sorted(value.entries())})`;
  if (value instanceof Set) return `set(${sorted(value.values())})`;
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return canonicalText(toJSON.call(value, ''));
  const members = Object.entries(value)
    .map(([name, member]) => [name, canonicalText(member)] as const)
    .filter(([, text]) => text !== 'undefined')
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${members.sort().join()}}`;
}

function sorted(items: Iterable<unknown>): string {
  return Array.from(items, canonicalText).sort().join();
}

/**
 * SHA-256 as 43 characters of `A-Z a-z 0-9 - _`. Commands can be large: Node takes a hundredth of the
 * time that `../sha256.ts` takes, which is for deciders in a browser.
 */
function textHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
