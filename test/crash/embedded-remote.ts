/** An embedded log in a process of its own, which a test can kill, starve and disturb. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));

export type Answer =
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON the call answers
  | { readonly ok: any; readonly code?: undefined }
  | { readonly code: string; readonly message: string };

export async function buildOnce(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(here, '..', '..', 'scripts', 'build.mjs')]);
}

export interface RemoteOptions {
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class RemoteLog {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  /** What it has said on standard error, LMDB's own words about a fault among it. */
  said = '';

  /**
   * @param wrapper a command that runs the command that follows it, as `strace` does
   * @param program what is run; it answers as embedded-remote-child.mjs does
   */
  constructor(
    folder: string,
    wrapper: readonly string[] = [],
    { program = 'embedded-remote-child.mjs', env = {} }: RemoteOptions = {},
  ) {
    const [command, ...args] = [...wrapper, process.execPath, join(here, program), folder];
    // One thread for the transactions, so that faults can be counted out to them.
    const environment = { ...process.env, UV_THREADPOOL_SIZE: '1', ...env };
    this.#child = spawn(command!, args, { env: environment });
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#lines.on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as Answer));
    this.#child.once('exit', (code, signal) => {
      const answer = { code: 'dead', message: `the process has ended (${signal ?? code})` };
      for (const tell of this.#waiting.splice(0)) tell(answer);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** How it has ended, if it has: an exit code, or a signal. */
  get exit(): number | string | null {
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  call(method: string, ...args: unknown[]): Promise<Answer> {
    return new Promise((resolve) => {
      if (this.#hasEnded()) return resolve({ code: 'dead', message: 'the process has ended' });
      this.#waiting.push(resolve);
      this.#child.stdin!.write(`${JSON.stringify([method, ...args])}\n`);
    });
  }

  async kill(): Promise<void> {
    if (this.#hasEnded()) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Lets it end by itself, without closing its log. A wrapper ends with it. */
  async end(): Promise<void> {
    if (this.#hasEnded()) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await ended;
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
