/** An error on the wire: its code, its message and its details, the same in every protocol. */
import { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import { asError, isA } from '../event/thrown.ts';
import { errorCode, type KnownCode } from './error-codes.ts';
import { asCount, asEventId, asText, type JsonObject, objectIn } from './json-members.ts';

/** RFC 9457 problem details, with our stable `code` and the details of the error beside the standard members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly [detail: string]: unknown;
}

/** The media type of {@link Problem}. */
export const PROBLEM_TYPE = 'application/problem+json';

/** An error as a client gets it. */
export interface Failure {
  /** Of the table, or one that a later gateway knows. */
  readonly code: string;
  readonly message: string;
  /** What is wrong in the input, as in `events[0].type`. */
  readonly field?: string;
  /** Of `version_conflict`: the version that the log has. */
  readonly actual?: EventId;
  /** Of `producer_gap`: the one that the log waits for. */
  readonly expectedSeq?: number;
  /** Of `producer_fenced`: the one that holds now. */
  readonly currentEpoch?: number;
  /** In how many milliseconds another try can succeed. */
  readonly retryAfter?: number;
  /** Of a page that is `trimmed`: what lies between the cursor and this was missed. */
  readonly resumeAfter?: EventId;
  /** Of a page that is `trimmed` or `reset`: the version of the log. */
  readonly version?: EventId;
}

/** The members of errors that are meant for clients. Nothing else of an error leaves the process. */
const DETAILS = ['field', 'actual', 'expectedSeq', 'currentEpoch', 'retryAfter'] as const;

/** An error of the protocol itself. */
export function protocolError(code: KnownCode, message: string): MillraceError {
  return new MillraceError(code, message);
}

/** Whatever was thrown, as something that a client may see. */
export function presentable(error: unknown): MillraceError {
  if (isA(error, MillraceError) && asError(error) === error) return error;
  return protocolError('internal', 'something failed inside the gateway; its log says more');
}

/**
 * The HTTP status that the gateway would answer an error with, for routes of one's own: 412 for
 * `version_conflict`, 503 for `unavailable`. Errors that are not of Millrace are 500.
 */
export function httpStatus(error: unknown): number {
  return errorCode(presentable(error).code).status;
}

/** The details of an error, by name. */
export function detailsOf(error: MillraceError): Record<string, string | number> {
  const details: Record<string, string | number> = {};
  for (const name of DETAILS) {
    const value = (error as unknown as Record<string, unknown>)[name];
    if (typeof value === 'string' || typeof value === 'number') details[name] = value;
  }
  return details;
}

/** An error as problem details; `more` are members of its own. */
export function problemOf(error: MillraceError, more: Record<string, unknown> = {}): Problem {
  const { status, meaning } = errorCode(error.code);
  return {
    type: 'about:blank',
    title: meaning,
    status,
    detail: error.message,
    code: error.code,
    ...detailsOf(error),
    ...more,
  };
}

/**
 * The error in problem details that a client got.
 * @throws MillraceError `invalid_json`, InvalidInput for what is not of a gateway
 */
export function readProblem(body: string): Failure {
  return problemIn(objectIn(body, 'the problem'));
}

/** @throws InvalidInput naming the field */
export function problemIn(problem: JsonObject): Failure {
  return failureIn(problem, problem.detail, 'detail');
}

/**
 * The error in an object that has its members, of which the message has another name in each protocol.
 * @throws InvalidInput naming the field
 */
export function failureIn(object: JsonObject, message: unknown, name = 'message'): Failure {
  const { field, actual, expectedSeq, currentEpoch, retryAfter, resumeAfter, version } = object;
  return {
    code: asText(object.code, 'code'),
    message: asText(message, name),
    ...(field !== undefined && { field: asText(field, 'field') }),
    ...(actual !== undefined && { actual: asEventId(actual, 'actual') }),
    ...(expectedSeq !== undefined && { expectedSeq: asCount(expectedSeq, 'expectedSeq') }),
    ...(currentEpoch !== undefined && { currentEpoch: asCount(currentEpoch, 'currentEpoch') }),
    ...(retryAfter !== undefined && { retryAfter: asCount(retryAfter, 'retryAfter') }),
    ...(resumeAfter !== undefined && { resumeAfter: asEventId(resumeAfter, 'resumeAfter') }),
    ...(version !== undefined && { version: asEventId(version, 'version') }),
  };
}
