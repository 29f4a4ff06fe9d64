/** The limit on JSON values, as a client is told of it. See `value-count.ts` for how they are counted. */
import type { MillraceError } from '../../event/error.ts';
import { protocolError } from '../../protocol/problem.ts';

/** @param what holds them, as in "the body" */
export function tooManyValues(what: string, most: number): MillraceError {
  return protocolError(
    'too_many_values',
    `${what} must hold at most ${most} JSON values (each comma, [ and { counts); send fewer at once`,
  );
}
