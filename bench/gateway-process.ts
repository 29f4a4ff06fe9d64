/** The gateways that are compared, each as a process of its own that tells its memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildCentrifuge, CENTRIFUGE_SERVER } from './centrifuge/build.ts';
import { adopt, Child, stopProcess } from './child.ts';
import type { MemoryReading } from './gateway-probe.ts';
import type { WireFormatName } from './load/wire-format.ts';
import { measuredPath } from './measured-build.ts';
import { freePort } from './redis-process.ts';

/** Something that serves `/ws/:account` in a wire format that the load speaks. */
export interface Contender {
  readonly name: string;
  /** How it learns of new events. */
  readonly how: string;
  /** A script for Node, or a program that tells its memory at `/memory`. */
  readonly runs: { readonly script: string } | { readonly program: string };
  readonly format: WireFormatName;
  args(store: string, port: number): string[];
  /** File descriptors that one socket costs the gateway. */
  readonly filesPerSocket: number;
  /** How fast it can be at best, to keep the search for its limit short: events/s. */
  readonly startRate: number;
  /** What a reader of the results has to know of its settings. */
  readonly setUp?: string;
  /** How long its idle work has to be watched to see all of it: seconds, where 5 are too few. */
  readonly idleSeconds?: number;
  /** Makes it ready to start; resolves with the reason where it cannot be. */
  prepare?(progress: (text: string) => void): Promise<string | undefined>;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const MILLRACE: Contender = {
  name: 'millrace',
  how: 'publication',
  runs: { script: measuredPath('cli/millrace.js') },
  format: 'millrace',
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
  runs: { script: here('./baselines/polling.js') },
  format: 'millrace',
  args: (store, port) => [store, `${port}`],
  filesPerSocket: 1,
  startRate: 500,
};

export const BLOCKING: Contender = {
  name: 'blocking',
  how: 'a connection with an XREAD BLOCK for each socket',
  runs: { script: here('./baselines/blocking.js') },
  format: 'millrace',
  args: (store, port) => [store, `${port}`],
  filesPerSocket: 2,
  startRate: 4_000,
};

export const PROTOTYPE: Contender = {
  name: 'prototype',
  how: 'the event itself in a publication',
  runs: { script: here('./baselines/prototype.js') },
  format: 'millrace',
  args: (store, port) => [store, `${port}`],
  filesPerSocket: 1,
  startRate: 8_000,
  setUp:
    'ws, ioredis, a script with XADD and PUBLISH; no limits, no index of logs, no heartbeat, no look for what was lost',
};

export const CENTRIFUGE: Contender = {
  name: 'centrifuge',
  how: 'the event itself in a publication, and a look at the stream now and then',
  runs: { program: CENTRIFUGE_SERVER },
  format: 'centrifuge',
  args: (store, port) => [store, `${port}`],
  filesPerSocket: 1,
  startRate: 8_000,
  setUp:
    'centrifuge v0.40.1 (Go) with its Redis broker and its defaults; a channel for each account, subscribed by the server, positioned and recoverable; 10,000 events of history for 24 h; publishes of one client one after the other; idle commands over 50 s (2 s in a quick run), which is how often it looks at a position',
  // It compares a client's position with Redis' about every 50 s.
  idleSeconds: 50,
  prepare: buildCentrifuge,
};

export const CONTENDERS: readonly Contender[] = [
  MILLRACE,
  PROTOTYPE,
  CENTRIFUGE,
  POLLING,
  BLOCKING,
];

const START_WITHIN_MS = 15_000;

export class GatewayProcess {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #tellMemory: () => Promise<MemoryReading>;

  private constructor(port: number, folder: string, running: Running) {
    this.port = port;
    this.#folder = folder;
    this.#process = running.process;
    this.#tellMemory = running.tellMemory;
  }

  /** @param profile a folder for CPU profiles of Node, which are written when the gateway stops */
  static async start(contender: Contender, store: string, profile?: string) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-gateway-'));
    const args = contender.args(store, port);
    const { runs } = contender;
    const running =
      'script' in runs
        ? startScript(runs.script, args, folder, profile)
        : startProgram(runs.program, args, folder, port);
    const gateway = new GatewayProcess(port, folder, running);
    const deadline = performance.now() + START_WITHIN_MS;
    while (!(await gateway.#healthy())) {
      if (running.process.exitCode !== null) throw new Error(`${contender.name} did not start`);
      if (performance.now() > deadline) throw new Error(`${contender.name} is not healthy`);
      await sleep(50);
    }
    return gateway;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  memory(): Promise<MemoryReading> {
    return this.#tellMemory();
  }

  async stop(): Promise<void> {
    await stopProcess(this.#process);
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

interface Running {
  readonly process: ChildProcess;
  readonly tellMemory: () => Promise<MemoryReading>;
}

function startScript(script: string, args: string[], cwd: string, profile?: string): Running {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const nodeFlags = ['--expose-gc', ...profiling, '--import', here('./gateway-probe.js')];
  const child = new Child(script, { nodeFlags, args, cwd });
  return { process: child.process, tellMemory: () => child.ask<MemoryReading>({}) };
}

function startProgram(program: string, args: string[], cwd: string, port: number): Running {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  adopt(child);
  const tellMemory = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/memory`);
    return (await response.json()) as MemoryReading;
  };
  return { process: child, tellMemory };
}
