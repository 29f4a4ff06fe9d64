/** Opening the chosen store, and what stands in the way of that, in words for the command line. */
import { MillraceError } from '../event/error.ts';
import { Unavailable } from '../event/store-errors.ts';
import type { Notice } from '../metrics/notice.ts';
import { type OpenStoreOptions, openStore, type Store } from '../stores/open.ts';
import { CommandFailure, withoutCredentials } from './failure.ts';
import type { StoreChoice } from './settings/store-choice.ts';

/**
 * @param options left out: told is only that a Redis is waited for that loads its data
 * @throws CommandFailure that says what stands in the way, and what to do about it
 */
export async function openChosen(
  choice: StoreChoice,
  options: OpenStoreOptions = { onNotice },
): Promise<Store> {
  try {
    return await openStore(choice.kind === 'embedded' ? choice.folder : choice.url, options);
  } catch (error) {
    throw new CommandFailure(explain(choice, error), undefined, { cause: error });
  }
}

/** What becomes of the connection later is told by whatever needs it. */
function onNotice(notice: Notice): void {
  if (notice.what !== 'connection' || notice.state !== 'loading') return;
  process.stderr.write(`millrace: Redis loads its data (${notice.reason}); waiting for it\n`);
}

function explain(store: StoreChoice, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (store.kind === 'redis') {
    const shown = withoutCredentials(store.url);
    if (error instanceof Unavailable) {
      const reason = /\((.*)\)/s.exec(message)?.[1] ?? message;
      return `Redis at ${shown} cannot be used: ${reason}.\nStart it, or choose another store with --store (a folder needs no server).`;
    }
    return `Redis at ${shown} cannot be used: ${message}`;
  }
  if (code === 'store_locked') return message;
  if (error instanceof MillraceError) return `The store in ${store.folder}: ${message}`;
  return `The store in ${store.folder} cannot be opened: ${message}`;
}
