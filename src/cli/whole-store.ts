/** Opening all that the chosen store keeps, for commands that work on it without a gateway. */
import { openStore, type Store } from '../open-store.ts';
import { CommandFailure } from './failure.ts';
import { explainStore } from './store.ts';
import type { StoreChoice } from './store-choice.ts';

/** @throws CommandFailure that says what stands in the way, and what to do about it */
export async function openWholeStore(choice: StoreChoice): Promise<Store> {
  try {
    return await openStore(choice.kind === 'embedded' ? choice.folder : choice.url);
  } catch (error) {
    throw new CommandFailure(explainStore(choice, error), undefined, { cause: error });
  }
}
