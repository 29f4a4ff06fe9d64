/**
 * Child processes that answer questions over Node's IPC channel: the load generator, the append
 * workers, and (through the probe that is loaded into them) the gateways.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

interface Question {
  readonly id: number;
  readonly ask: unknown;
}
interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

const STOP_WITHIN_MS = 12_000;
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Keeps track of a process, so that it does not outlive the benchmark. */
export function adopt(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** SIGTERM, and SIGKILL for a process that does not heed it. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

export interface ChildOptions {
  /** Node's own flags, as `--expose-gc`. */
  readonly nodeFlags?: readonly string[];
  readonly args?: readonly string[];
  readonly cwd?: string;
}

/** A Node process that runs `script` and answers questions. */
export class Child {
  readonly process: ChildProcess;
  #next = 1;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(e: Error): void }>();

  constructor(script: string, options: ChildOptions = {}) {
    const { nodeFlags = [], args = [], cwd } = options;
    this.process = spawn(process.execPath, [...nodeFlags, script, ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    adopt(this.process);
    this.process.on('message', (message) => this.#settle(message as Answer));
    this.process.once('exit', (code, signal) => {
      const error = new Error(`${script} ended (${signal ?? `exit code ${code}`})`);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Asks what `answer` in the child answers; fails as it fails there, or when the child ends. */
  ask<Reply>(ask: unknown): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        reject(new Error('the process has ended'));
        return;
      }
      const id = this.#next++;
      this.#waiting.set(id, { resolve: (value) => resolve(value as Reply), reject });
      this.process.send({ id, ask } satisfies Question);
    });
  }

  stop(): Promise<void> {
    return stopProcess(this.process);
  }

  #settle(message: Answer): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting.resolve(message.answer);
    else waiting.reject(new Error(message.error));
  }
}

/** The child's side: answers each question of {@link Child.ask}. Does not keep the process alive. */
export function answerQuestions<Ask>(handler: (ask: Ask) => unknown): void {
  process.on('message', async ({ id, ask }: Question) => {
    let reply: Answer;
    try {
      reply = { id, answer: await handler(ask as Ask) };
    } catch (error) {
      reply = { id, error: error instanceof Error ? (error.stack ?? error.message) : `${error}` };
    }
    process.send?.(reply);
  });
}
