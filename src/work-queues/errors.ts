/** What can go wrong with a group. */
import { MillraceError } from '../event/error.ts';

/** What a group has done is not known any more. Nothing is handed out, as all would be done twice. */
export class ProgressLost extends MillraceError {
  /** @param key where it was */
  constructor(group: string, key: string) {
    super(
      'progress_lost',
      `what the group ${group} has done is not known: ${key} is gone, or another one; put it back, or, to have the group begin anew, stop its workers and remove all keys {work:${group}}:*`,
    );
  }
}
