/** Errors as HTTP responses: RFC 9457 problem details. */
import type { MillraceError } from '../event/error.ts';
import { PROBLEM_TYPE, problemOf } from '../protocol/problem.ts';

/** How long a client should wait before it tries again, in seconds, where trying again can help. */
const RETRY_AFTER = '1';

/** `more` are members of the problem beside those of the error. */
export function problemResponse(
  error: MillraceError,
  headers: Record<string, string> = {},
  more: Record<string, unknown> = {},
): Response {
  const problem = problemOf(error, more);
  const retry = problem.status === 503 ? { 'Retry-After': RETRY_AFTER } : {};
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'Content-Type': PROBLEM_TYPE, 'Cache-Control': 'no-store', ...retry, ...headers },
  });
}
