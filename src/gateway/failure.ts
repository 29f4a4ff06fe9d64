/** What fails inside the gateway: the client learns that it did, the log learns what. */
import type { MillraceError } from '../event/error.ts';
import { asError } from '../event/thrown.ts';
import { presentable } from '../protocol/problem.ts';
import type { Logger } from './logger.ts';

/**
 * Whatever was thrown, as something that a client may see; what it may not see is logged.
 * @param what happened, as in "a request failed"
 */
export function shownOf(error: unknown, logger: Logger, what: string): MillraceError {
  const shown = presentable(error);
  if (shown !== error) logger.error({ err: asError(error) }, what);
  return shown;
}
