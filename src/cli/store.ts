/** Opening the chosen store. */

import { MillraceError } from '../event/error.ts';
import { DEFAULT_EVENT_LIMITS } from '../event/event.ts';
import { EmbeddedLog } from '../log/embedded/embedded-log.ts';
import { Unavailable } from '../log/errors.ts';
import { RedisLog } from '../log/redis/redis-log.ts';
import { CommandFailure, withoutCredentials } from './failure.ts';
import type { Settings } from './settings.ts';
import type { StoreChoice } from './store-choice.ts';

/**
 * Opens the store.
 * @throws CommandFailure that says what stands in the way, and what to do about it.
 */
export async function openStore(settings: Settings): Promise<EmbeddedLog | RedisLog> {
  const { store, sweep, appendWait, maxEvent, maxAppend } = settings;
  const limits = {
    ...DEFAULT_EVENT_LIMITS,
    maxPayloadBytes: maxEvent,
    maxAppendBytes: maxAppend,
  };
  try {
    if (store.kind === 'embedded') return await EmbeddedLog.open(store.folder, { limits });
    return await RedisLog.open(store.url, { sweepInterval: sweep, appendWait, limits });
  } catch (error) {
    throw new CommandFailure(explain(store, error), undefined, { cause: error });
  }
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
