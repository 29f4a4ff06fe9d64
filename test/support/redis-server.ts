/** A real redis-server of a test's own: on a free port, in a folder of its own, to be killed at will. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** Directives of redis.conf, for example `{ appendonly: 'yes', appendfsync: 'always' }`; a list for one of several words. */
export type RedisConfig = Readonly<Record<string, string | readonly string[]>>;

const ATTEMPTS_FOR_A_PORT = 5;

export class RedisServer {
  /** Where it keeps its files; stays the same over restarts. */
  readonly folder: string;
  readonly port: number;
  readonly #config: RedisConfig;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, config: RedisConfig) {
    this.folder = folder;
    this.port = port;
    this.#config = config;
  }

  /** Starts a server, by default one that writes nothing to disk. */
  static async start(config: RedisConfig = {}): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-redis-'));
    for (let attempt = 1; ; attempt += 1) {
      const server = new RedisServer(folder, await freePort(), config);
      try {
        await server.start();
        return server;
      } catch (error) {
        // Somebody else may have taken the port between our look and the server's.
        if (attempt === ATTEMPTS_FOR_A_PORT) throw error;
      }
    }
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  url(database = 0): string {
    return `redis://127.0.0.1:${this.port}/${database}`;
  }

  /** Starts it again, after {@link stop} or {@link kill}, with the files that it left. */
  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error('redis-server is running already');
    const config = { save: '', appendonly: 'no', ...this.#config };
    const child = spawn(
      'redis-server',
      [
        ...['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder],
        ...['--logfile', 'redis.log', '--daemonize', 'no'],
        ...Object.entries(config).flatMap(([directive, value]) => [`--${directive}`, value].flat()),
      ],
      { stdio: 'ignore' },
    );
    this.#process = child;
    const failed = once(child, 'error').then(([error]) => {
      throw error;
    });
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => {
      process.off('exit', killWithUs);
      if (this.#process === child) this.#process = undefined;
    });
    try {
      await Promise.race([failed, this.#answers(child)]);
    } catch (error) {
      child.kill('SIGKILL');
      this.#process = undefined;
      throw error;
    }
  }

  /** Shuts it down in order, with a last save if it is configured to save. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops it in the middle of whatever it does; connections stay open and unanswered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Copies its files as they are now; while it is stopped, that is a backup. */
  backup(): string {
    const copy = mkdtempSync(join(tmpdir(), 'millrace-redis-backup-'));
    cpSync(this.folder, copy, { recursive: true });
    return copy;
  }

  /** Puts a {@link backup} in the place of its files; only while it is stopped. */
  restore(backup: string): void {
    if (this.#process !== undefined)
      throw new Error('stop redis-server before restoring its files');
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(backup, this.folder, { recursive: true });
    rmSync(backup, { recursive: true, force: true });
  }

  /** Ends it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    // A frozen process hears SIGTERM only when it runs again.
    child.kill('SIGCONT');
    await exited;
  }

  async #answers(child: ChildProcess): Promise<void> {
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    const ready = await eventually(async () => (ended ? 'ended' : answersPing(this.port)), {
      interval: 10,
    });
    // Whatever answers on the port, it is ours only while our process lives.
    if (ready === 'ended' || ended) {
      const log = await readFile(join(this.folder, 'redis.log'), 'utf8').catch(() => '(no log)');
      throw new Error(`redis-server did not start:\n${log.slice(-2000)}`);
    }
  }
}

async function answersPing(port: number): Promise<'ready'> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    socket.write('PING\r\n');
    const [reply] = await once(socket, 'data');
    if (!String(reply).startsWith('+PONG')) throw new Error(`redis-server answers ${reply}`);
    return 'ready';
  } finally {
    socket.destroy();
  }
}
