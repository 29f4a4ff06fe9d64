/** The stores that workers are tried on: opened anew for each test, several times where that is possible. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from '../../../src/log/log.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { MemoryWorkQueues } from '../../../src/stores/memory/work-queues/memory-work-queues.ts';
import { openStore } from '../../../src/stores/open.ts';
import type { WorkStore } from '../../../src/worker/work.ts';
import { RedisServer } from '../../support/redis-server.ts';

export interface OpenedStore extends WorkStore {
  readonly log: EventLog;
  close(): Promise<void>;
}

export interface WorkerStores extends AsyncDisposable {
  /** Of the same data. */
  open(): Promise<OpenedStore>;
}

let server: Promise<RedisServer> | undefined;

/** To be called when all tests are over. */
export async function endServers(): Promise<void> {
  await (await server)?.[Symbol.asyncDispose]();
  server = undefined;
}

export const STORES: Readonly<Record<string, () => Promise<WorkerStores>>> = {
  async memory() {
    const log = new MemoryLog();
    const workQueues = new MemoryWorkQueues(log);
    return {
      open: async () => ({ log, workQueues, close: async () => {} }),
      [Symbol.asyncDispose]: async () => {
        await log.close();
      },
    };
  },
  async embedded() {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-worker-'));
    const store = await openStore(folder);
    return {
      open: async () => ({ ...store, close: async () => {} }),
      [Symbol.asyncDispose]: async () => {
        await store.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  async redis() {
    server ??= RedisServer.start();
    const url = (await server).url();
    const opened: OpenedStore[] = [];
    return {
      open: async () => {
        const store = await openStore(url);
        opened.push(store);
        return store;
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(opened.map((store) => store.close()));
      },
    };
  },
};
