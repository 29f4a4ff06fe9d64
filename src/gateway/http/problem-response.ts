/** Errors as HTTP responses: RFC 9457 problem details. */
import type { MillraceError } from '../../event/error.ts';
import { PROBLEM_TYPE, problemOf } from '../../protocol/problem.ts';
import { Unauthenticated } from '../identity/identity.ts';
import { LimitReached } from '../limits/limit-reached.ts';

/** How long a client should wait before it tries again, in seconds, where nothing better is known. */
const RETRY_AFTER = 1;

/** `more` are members of the problem beside those of the error. */
export function problemResponse(
  error: MillraceError,
  headers: Record<string, string> = {},
  more: Record<string, unknown> = {},
): Response {
  const problem = problemOf(error, more);
  const retry = [429, 503].includes(problem.status) ? { 'Retry-After': retryAfter(error) } : {};
  // RFC 9110 section 15.5.2: a 401 says how to do better.
  const challenge = error instanceof Unauthenticated ? { 'WWW-Authenticate': error.challenge } : {};
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'Content-Type': PROBLEM_TYPE,
      'Cache-Control': 'no-store',
      ...retry,
      ...challenge,
      ...headers,
    },
  });
}

function retryAfter(error: MillraceError): string {
  const seconds = error instanceof LimitReached ? error.retryAfter / 1_000 : RETRY_AFTER;
  return String(Math.ceil(seconds));
}
