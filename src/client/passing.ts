/** Failures that pass: the same attempt is made again. Everything else is a refusal. */
const PASSING: ReadonlySet<string> = new Set(
  (
    'rate_limited unavailable outcome_unknown overloaded shutting_down closed keys_unavailable ' +
    'too_many_connections request_timeout internal unauthenticated'
  ).split(' '),
);

export function isPassing(code: string): boolean {
  return PASSING.has(code);
}
