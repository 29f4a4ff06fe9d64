/** The rules for what callers hand to an event log, the same in every store. */
import { InvalidInput } from '../event/error.ts';
import { type EventId, isEventId, ZERO_ID } from '../event/event-id.ts';
import { isProducerId, PRODUCER_ID_RULE, type Producer } from '../event/producer.ts';
import { MAX_LAST } from '../event/start.ts';
import type { AppendOptions, ReadOptions } from './log.ts';

export const DEFAULT_READ_LIMIT = 100;
export const MAX_READ_LIMIT = 10_000;
export const DEFAULT_READ_BYTES = 262_144;

/** How long a log remembers a producer that does not append, in milliseconds: 7 days. */
export const DEFAULT_PRODUCER_IDLE = 7 * 24 * 60 * 60 * 1000;

/** {@link ReadOptions} with everything filled in. */
export interface ReadRequest {
  readonly after: EventId;
  readonly before: EventId | undefined;
  readonly limit: number;
  readonly maxBytes: number;
  readonly reverse: boolean;
  readonly unchecked: boolean;
}

/** @throws InvalidInput naming the field that breaks a rule. */
export function parseReadOptions(options: ReadOptions = {}): ReadRequest {
  const { after, before, limit, maxBytes, reverse, unchecked } = options;
  return {
    after: after === undefined ? ZERO_ID : checkEventId(after, 'after'),
    before: before === undefined ? undefined : checkEventId(before, 'before'),
    limit: checkWhole(limit ?? DEFAULT_READ_LIMIT, 'limit', 0, MAX_READ_LIMIT),
    maxBytes: checkWhole(maxBytes ?? DEFAULT_READ_BYTES, 'maxBytes', 1, Number.MAX_SAFE_INTEGER),
    reverse: reverse ?? false,
    unchecked: unchecked ?? false,
  };
}

/** @throws InvalidInput for a `count` that {@link EventLog.before} does not take */
export function checkCount(count: number): number {
  return checkWhole(count, 'count', 1, MAX_LAST);
}

/** @throws InvalidInput naming the field that breaks a rule. */
export function checkAppendOptions(options: AppendOptions = {}): AppendOptions {
  const { expected, producer } = options;
  if (expected !== undefined) checkEventId(expected, 'expected');
  if (producer !== undefined) checkProducer(producer);
  return options;
}

/**
 * Checks an ID that came in typed as one: types hold nobody back who calls from JavaScript.
 * @throws InvalidInput naming `field`.
 */
export function checkEventId(id: EventId, field: string): EventId {
  if (typeof id === 'string' && isEventId(id)) return id;
  throw new InvalidInput(
    field,
    'must be an event ID like 1526919030474-55 (or 0-0)',
    'invalid_event_id',
  );
}

function checkProducer(producer: Producer): void {
  if (typeof producer !== 'object' || producer === null) {
    throw new InvalidInput('producer', 'must be an object with id, epoch and seq');
  }
  if (!isProducerId(producer.id)) throw new InvalidInput('producer.id', PRODUCER_ID_RULE);
  checkWhole(producer.epoch, 'producer.epoch', 0, Number.MAX_SAFE_INTEGER);
  checkWhole(producer.seq, 'producer.seq', 0, Number.MAX_SAFE_INTEGER);
}

/** @throws InvalidInput naming `field`. */
export function checkWhole(value: number, field: string, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new InvalidInput(field, `must be a whole number from ${least} to ${most}`);
}
