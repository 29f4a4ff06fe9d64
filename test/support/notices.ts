/** What is in a notice. */
import type { MillraceError } from '../../src/event/error.ts';
import type { Notice } from '../../src/metrics/notice.ts';

/** The error that it tells of. */
export function errorIn<Told = MillraceError>(notice: Notice): Told {
  if ('error' in notice) return notice.error as Told;
  throw new Error(`there is no error in a notice of ${notice.what}`);
}

/** What became of the connection, and why. */
export function connectionIn(notice: Notice): readonly [state: string, reason?: string] {
  if (notice.what === 'connection') return [notice.state, notice.reason ?? ''];
  throw new Error(`a notice of ${notice.what} is none of a connection`);
}
