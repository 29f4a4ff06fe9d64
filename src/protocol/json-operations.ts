/** Client → server of the JSON protocol: one JSON object a message. */
import { InvalidInput, type MillraceError } from '../event/error.ts';
import { parseEventId } from '../event/event-id.ts';
import { accountLog, type LogName, parseLogName } from '../event/log-name.ts';
import type { Start } from '../event/start.ts';
import { isObject, type JsonObject, refuseUnknown } from './json-members.ts';
import { readEvents, readProducer, writeEvents } from './new-events.ts';
import {
  type AppendOperation,
  isRef,
  type Operation,
  REF_RULE,
  type Ref,
  type Refusal,
} from './operation.ts';
import { presentable, protocolError } from './problem.ts';
import { parseStart, startFields } from './start.ts';

const FIELDS = {
  append: ['op', 'ref', 'log', 'events', 'expected', 'producer'],
  subscribe: ['op', 'ref', 'log', 'after', 'since', 'last'],
  unsubscribe: ['op', 'ref', 'log'],
  pause: ['op', 'ref'],
  resume: ['op', 'ref'],
  ping: ['op', 'ref'],
  authenticate: ['op', 'ref', 'token'],
} as const satisfies Record<Operation['op'], readonly string[]>;

/** Reads one message; `log` defaults to the account's own. Never throws. */
export function parseOperation(message: string, accountId: string): Operation | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return refused(undefined, protocolError('invalid_json', 'the message must be one JSON object'));
  }
  if (!isObject(value)) {
    return refused(undefined, invalid('the message', 'must be a JSON object like {"op":"ping"}'));
  }
  const { ref } = value;
  if (!isRef(ref)) {
    return refused(undefined, invalid('ref', REF_RULE));
  }
  try {
    return readOperation(value, ref, accountId);
  } catch (error) {
    return refused(ref, presentable(error));
  }
}

/**
 * Writes the message that {@link parseOperation} reads.
 * @throws InvalidInput naming the field, for what JSON could not give back
 */
export function writeOperation(operation: Operation): string {
  const { op, ref } = operation;
  if (!isRef(ref)) throw invalid('ref', REF_RULE);
  switch (operation.op) {
    case 'append': {
      const { log, events, expected, producer } = operation;
      const { id, epoch, seq } = producer ?? {};
      const by = producer && { id, epoch, seq };
      const head = JSON.stringify({ op, ref, log, expected, producer: by });
      // The events are JSON already.
      return `${head.slice(0, -1)},"events":${writeEvents(events)}}`;
    }
    case 'subscribe':
      return JSON.stringify({ op, ref, log: operation.log, ...startFields(operation.start) });
    case 'authenticate':
      return JSON.stringify({ op, ref, token: operation.token });
    case 'unsubscribe':
      return JSON.stringify({ op, ref, log: operation.log });
    default:
      return JSON.stringify({ op, ref });
  }
}

function readOperation(value: JsonObject, ref: Ref, accountId: string): Operation | Refusal {
  const { op } = value;
  if (typeof op !== 'string' || !Object.hasOwn(FIELDS, op)) return refused(ref, unknown(op));
  const known = op as Operation['op'];
  refuseUnknown(value, FIELDS[known], '', 'invalid_operation');
  switch (known) {
    case 'ping':
    case 'pause':
    case 'resume':
      return { op: known, ref };
    case 'authenticate': {
      const token = optionalText(value, 'token');
      if (token === undefined) throw invalid('token', 'must be there');
      return { op: known, ref, token };
    }
    case 'append':
      return readAppend(value, ref, accountId);
    case 'subscribe': {
      return { op: known, ref, log: readLog(value, accountId), start: readStart(value) };
    }
    case 'unsubscribe':
      return { op: known, ref, log: readLog(value, accountId) };
  }
}

function readAppend(value: JsonObject, ref: Ref, accountId: string): AppendOperation {
  const expected = optionalText(value, 'expected');
  return {
    op: 'append',
    ref,
    log: readLog(value, accountId),
    events: readEvents(value.events, 'events'),
    expected: expected === undefined ? undefined : parseEventId(expected, 'expected'),
    producer: value.producer === undefined ? undefined : readProducer(value.producer, 'producer'),
  };
}

function readStart(value: JsonObject): Start {
  const { last } = value;
  if (last !== undefined && typeof last !== 'number') throw invalid('last', 'must be a number');
  return parseStart({
    after: optionalText(value, 'after'),
    since: optionalText(value, 'since'),
    last,
  });
}

function readLog(value: JsonObject, accountId: string): LogName {
  const log = optionalText(value, 'log');
  return log === undefined ? accountLog(accountId) : parseLogName(log, 'log');
}

function optionalText(value: JsonObject, field: string): string | undefined {
  const text = value[field];
  if (text === undefined || typeof text === 'string') return text;
  throw invalid(field, 'must be a string');
}

function unknown(op: unknown): MillraceError {
  const got = typeof op === 'string' ? `, got ${JSON.stringify(op.slice(0, 64))}` : '';
  return protocolError(
    'unknown_operation',
    `op must be one of ${Object.keys(FIELDS).join(', ')}${got}`,
  );
}

function refused(ref: Ref, error: MillraceError): Refusal {
  return { op: 'refused', ref, error };
}

function invalid(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'invalid_operation');
}
