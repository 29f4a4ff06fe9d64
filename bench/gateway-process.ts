/** The gateways that are compared, each as a process of its own with the probe loaded into it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import type { MemoryReading } from './gateway-probe.ts';
import { measuredPath } from './measured-build.ts';
import { freePort } from './redis-process.ts';

/** Something that serves `/ws/:account` in the JSON wire format. */
export interface Contender {
  readonly name: string;
  /** How it learns of new events. */
  readonly how: string;
  readonly script: string;
  args(store: string, port: number): string[];
  /** File descriptors that one socket costs the gateway. */
  readonly filesPerSocket: number;
  /** How fast it can be at best, to keep the search for its limit short: events/s. */
  readonly startRate: number;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const MILLRACE: Contender = {
  name: 'millrace',
  how: 'publication',
  script: measuredPath('cli/millrace.js'),
  args: (store, port) => [
    ...['serve', '--store', store, '--port', `${port}`, '--log-level', 'warn'],
    // One client plays thousands: appends are counted, but the limit is not reached.
    ...['--append-rate', '1000000', '--append-burst', '1000000', '--max-connections', '0'],
    ...['--max-sockets-per-account', '0', '--max-sockets-per-address', '0'],
  ],
  filesPerSocket: 1,
  startRate: 8_000,
};

export const POLLING: Contender = {
  name: 'polling',
  how: 'an XREAD each second for each socket',
  script: here('./baselines/polling.js'),
  args: (store, port) => [store, `${port}`],
  filesPerSocket: 1,
  startRate: 500,
};

export const BLOCKING: Contender = {
  name: 'blocking',
  how: 'a connection with an XREAD BLOCK for each socket',
  script: here('./baselines/blocking.js'),
  args: (store, port) => [store, `${port}`],
  filesPerSocket: 2,
  startRate: 4_000,
};

export const CONTENDERS: readonly Contender[] = [MILLRACE, POLLING, BLOCKING];

const START_WITHIN_MS = 15_000;

export class GatewayProcess {
  readonly port: number;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(port: number, child: Child, folder: string) {
    this.port = port;
    this.#child = child;
    this.#folder = folder;
  }

  /** @param profile a folder for CPU profiles, which are written when the gateway stops */
  static async start(contender: Contender, store: string, profile?: string) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-gateway-'));
    const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const child = new Child(contender.script, {
      nodeFlags: ['--expose-gc', ...profiling, '--import', here('./gateway-probe.js')],
      args: contender.args(store, port),
      cwd: folder,
    });
    const gateway = new GatewayProcess(port, child, folder);
    const deadline = performance.now() + START_WITHIN_MS;
    while (!(await gateway.#healthy())) {
      if (child.process.exitCode !== null) throw new Error(`${contender.name} did not start`);
      if (performance.now() > deadline) throw new Error(`${contender.name} is not healthy`);
      await sleep(50);
    }
    return gateway;
  }

  get pid(): number {
    return this.#child.pid;
  }

  memory(): Promise<MemoryReading> {
    return this.#child.ask<MemoryReading>({});
  }

  async stop(): Promise<void> {
    await this.#child.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #healthy(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.port}/`)).ok;
    } catch {
      return false;
    }
  }
}
