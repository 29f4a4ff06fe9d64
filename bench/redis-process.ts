/** A Redis server of the benchmark's own: random port, temporary folder, gone afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { adopt, stopProcess } from './child.ts';

/** `off`: no file at all; otherwise the append-only file with this `appendfsync`. */
export type Durability = 'off' | 'everysec' | 'always';

const MAX_CLIENTS = 14_000;
const START_WITHIN_MS = 10_000;

export class RedisProcess {
  readonly endpoint: string;
  readonly process: ChildProcess;
  readonly #folder: string;
  readonly #client: Redis;

  private constructor(endpoint: string, process: ChildProcess, folder: string, client: Redis) {
    this.endpoint = endpoint;
    this.process = process;
    this.#folder = folder;
    this.#client = client;
  }

  static async start(durability: Durability): Promise<RedisProcess> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-redis-'));
    const options: Record<string, string> = {
      port: `${port}`,
      dir: folder,
      save: '',
      maxclients: `${MAX_CLIENTS}`,
      appendonly: durability === 'off' ? 'no' : 'yes',
      appendfsync: durability === 'off' ? 'no' : durability,
    };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const process = spawn('redis-server', flags, { stdio: 'ignore' });
    adopt(process);
    const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    // Refused connections while it starts are expected; the loop below reports a lasting failure.
    client.on('error', () => {});
    const deadline = performance.now() + START_WITHIN_MS;
    while (client.status !== 'ready') {
      if (performance.now() > deadline) throw new Error(`redis-server did not start on ${port}`);
      await client.connect().catch(() => sleep(20));
    }
    return new RedisProcess(`redis://127.0.0.1:${port}`, process, folder, client);
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Commands that others had this server do per second, over `seconds`; those inside scripts count. */
  async commandsPerSecond(seconds: number): Promise<number> {
    const before = await this.#commandCalls();
    const startedAt = performance.now();
    await sleep(seconds * 1000);
    const calls = (await this.#commandCalls()) - before;
    return calls / ((performance.now() - startedAt) / 1000);
  }

  /** Bytes that Redis holds, its clients' buffers included. */
  async usedMemory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await this.#client.info('memory'))?.[1]);
  }

  async stop(): Promise<void> {
    this.#client.disconnect();
    await stopProcess(this.process);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #commandCalls(): Promise<number> {
    const stats = await this.#client.info('commandstats');
    let calls = 0;
    for (const [, name, count] of stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)) {
      if (name !== 'info') calls += Number(count);
    }
    return calls;
  }
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
