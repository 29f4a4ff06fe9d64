/**
 * `millrace serve` as the real process that people run: built, started, killed with `kill -9`,
 * started again on the same port.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const OUTPUT_KEPT = 20_000;

export interface GatewayOptions {
  /** A folder or a `redis://` URL. */
  readonly store: string;
  /** Further flags of `millrace serve`. */
  readonly flags?: readonly string[];
  /** Flags of `node` itself. */
  readonly nodeFlags?: readonly string[];
}

/** How a process came to its end. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class GatewayProcess {
  readonly port: number;
  readonly #options: GatewayOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<Ending> | undefined;
  #output = '';

  private constructor(port: number, options: GatewayOptions) {
    this.port = port;
    this.#options = options;
  }

  /** Builds what is not built, starts it, and waits until it answers. */
  static async start(options: GatewayOptions): Promise<GatewayProcess> {
    await built();
    const gateway = new GatewayProcess(await freePort(), options);
    await gateway.start();
    return gateway;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the gateway is not running');
    return pid;
  }

  /** The last of what it wrote, from all its lives. */
  get output(): string {
    return this.#output;
  }

  http(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  webSocket(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  /** Starts it again, after {@link kill} or {@link terminate}, on its port. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error('the gateway is running already');
    const { store, flags = [], nodeFlags = [] } = this.#options;
    const child = spawn(
      process.execPath,
      [
        ...nodeFlags,
        ...[join(root, 'dist', 'cli', 'millrace.js'), 'serve'],
        ...['--host', '127.0.0.1', '--port', String(this.port), '--store', store, ...flags],
      ],
      // Somewhere without an .env of the one who runs the tests.
      { cwd: join(root, 'test'), stdio: ['ignore', 'pipe', 'pipe'], env: environment() },
    );
    this.#child = child;
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk).slice(-OUTPUT_KEPT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      process.off('exit', killWithUs);
      if (this.#child === child) this.#child = undefined;
      return { code, signal };
    });
    await this.#listens(child);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; resolves when it has ended. */
  async terminate(): Promise<Ending> {
    return this.#end('SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<Ending> {
    const ended = this.#ended;
    if (ended === undefined) throw new Error('the gateway was never started');
    this.#child?.kill(signal);
    return ended;
  }

  async #listens(child: ChildProcess): Promise<void> {
    await eventually(
      async () => {
        if (this.#child !== child) return;
        const response = await fetch(this.http());
        const text = await response.text();
        if (!text.startsWith('Healthy')) throw new Error(`the gateway answers ${text}`);
      },
      { timeout: 20_000, interval: 20 },
    ).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw new Error(`the gateway does not listen:\n${this.#output}`, { cause: error });
    });
    if (this.#child !== child) throw new Error(`the gateway did not start:\n${this.#output}`);
  }
}

let building: Promise<unknown> | undefined;

function built(): Promise<unknown> {
  building ??= promisify(execFile)(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  return building;
}

/** Ours without what would configure the gateway. */
function environment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter(
    (name) => !/^(MILLRACE_.*|REDIS_ENDPOINT|PORT)$/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
