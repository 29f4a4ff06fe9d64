/** Whole stores, opened for one test each: what applications are tried on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from '../../../src/log/log.ts';
import { type OpenStoreOptions, openStore, type Store } from '../../../src/stores/open.ts';
import { testStore } from '../../../src/testing/test-store.ts';
import { RedisServer } from '../../support/redis-server.ts';

export interface WholeStore extends AsyncDisposable {
  readonly store: Store<EventLog>;
}

let server: Promise<RedisServer> | undefined;

/** To be called when all tests are over. */
export async function endServer(): Promise<void> {
  await (await server)?.[Symbol.asyncDispose]();
  server = undefined;
}

export const WHOLE_STORES: Readonly<
  Record<string, (options?: OpenStoreOptions) => Promise<WholeStore>>
> = {
  async memory() {
    const store = testStore();
    return { store, [Symbol.asyncDispose]: () => store.close() };
  },
  async embedded(options) {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-whole-'));
    const store = await openStore(folder, options);
    return {
      store,
      [Symbol.asyncDispose]: async () => {
        await store.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  async redis(options) {
    server ??= RedisServer.start();
    const store = await openStore((await server).url(), options);
    return { store, [Symbol.asyncDispose]: () => store.close() };
  },
};
