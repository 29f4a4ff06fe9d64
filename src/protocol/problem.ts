/** What an error tells a client beyond its code and message, the same in every protocol. */
import { MillraceError } from '../event/error.ts';
import { asError, isA } from '../event/thrown.ts';
import { errorCode, type KnownCode } from './error-codes.ts';

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
