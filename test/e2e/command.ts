/** Runs programs as a person does: arguments in, output and exit code out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const millrace = join(root, 'dist', 'cli', 'millrace.js');

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class Command {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<number | NodeJS.Signals>;

  constructor(program: string, args: readonly string[], options: CommandOptions = {}) {
    this.child = spawn(program, args, {
      cwd: options.cwd ?? root,
      env: { ...cleanEnvironment(), ...anybodysCheckout, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout!.on('data', (chunk: Buffer) => {
      this.stdout += chunk;
    });
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr += chunk;
    });
    const killWithUs = () => this.child.kill('SIGKILL');
    process.once('exit', killWithUs);
    this.#ended = once(this.child, 'close').then(([code, signal]) => {
      process.off('exit', killWithUs);
      return code ?? signal;
    });
  }

  /** The exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals> {
    return this.#ended;
  }

  /** Waits until it has printed this; fails when it ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    let over = false;
    void this.#ended.then(() => {
      over = true;
    });
    const found = await eventually(
      () => {
        const match = pattern.exec(this.stdout);
        if (match !== null) return match;
        if (over) return new Error(`it ended without ${pattern}: ${this.stderr}`);
        throw new Error(`not printed: ${pattern}`);
      },
      { timeout: 20_000, interval: 10 },
    );
    if (found instanceof Error) throw found;
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }
}

/** `millrace …`, from the build. */
export function runMillrace(args: readonly string[], options: CommandOptions = {}): Command {
  return new Command(process.execPath, [millrace, ...args], options);
}

/** Where a server that was started says it listens. */
export async function listensOn(server: Command): Promise<string> {
  return (await server.printed(/listens on (\S+)\n/))[1]!;
}

/** A folder of a test's own, gone at its end. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Has git read a checkout that belongs to somebody else, as it does in some containers. */
export const anybodysCheckout = {
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
};

/** Ours without what would configure Millrace or npm. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(MILLRACE_|npm_|PORT$|REDIS_ENDPOINT$|NODE_OPTIONS$|VITEST)/.test(name),
    ),
  );
}
