/** Opening all that the chosen store keeps, for commands that work on it without a gateway. */

import { openStore, type Store } from '../stores/open.ts';
import type { ConnectionState } from '../stores/redis/place/connection-report.ts';
import { CommandFailure } from './failure.ts';
import type { StoreChoice } from './settings/store-choice.ts';
import { explainStore } from './store.ts';

/** What becomes of the connection later is told by whatever needs it. */
function onConnection(state: ConnectionState, progress: string | undefined): void {
  if (state !== 'loading') return;
  process.stderr.write(`millrace: Redis loads its data (${progress}); waiting for it\n`);
}

/** @throws CommandFailure that says what stands in the way, and what to do about it */
export async function openWholeStore(choice: StoreChoice): Promise<Store> {
  try {
    return await openStore(choice.kind === 'embedded' ? choice.folder : choice.url, {
      onConnection,
    });
  } catch (error) {
    throw new CommandFailure(explainStore(choice, error), undefined, { cause: error });
  }
}
