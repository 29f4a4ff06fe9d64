/** What goes wrong, as lines of the log of `millrace serve`. */
import type { Logger } from '../gateway/logger.ts';
import { lineOf } from '../metrics/console-lines.ts';
import type { Notice } from '../metrics/notice.ts';

export function noticesTo(logger: Logger): (notice: Notice) => void {
  return (notice) => {
    if (notice.what !== 'connection') {
      logger.warn({ what: notice.what }, lineOf(notice));
      return;
    }
    const { state, reason } = notice;
    if (state === 'loading') {
      logger.info({ progress: reason }, 'Redis loads its data; waiting for it');
    } else if (state === 'restored') logger.info({}, 'Redis is back');
    else if (state === 'lost') logger.warn({ reason }, 'Redis is lost; trying to reach it again');
    else logger.warn({ reason }, 'Redis refuses what is needed; asking again');
  };
}
