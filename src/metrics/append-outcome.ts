/** What an append came to, as it is counted. */
import type { Appended } from '../event/appended.ts';
import { MillraceError } from '../event/error.ts';

/** `appended`, `duplicate`, or the code of the error. */
export function outcomeOf(result: Appended | Error): string {
  if (!(result instanceof Error)) return result.duplicate ? 'duplicate' : 'appended';
  return result instanceof MillraceError ? result.code : 'internal';
}
