/** Worker processes of one group, and what they have said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { EventId } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { eventually } from '../support/eventually.ts';

const program = fileURLToPath(new URL('worker-child.mjs', import.meta.url));

/** What a worker said of an event, and when, in nanoseconds. */
export interface Said {
  readonly what: 'begin' | 'done' | 'ready';
  readonly time: number;
  readonly log: LogName;
  readonly id: EventId;
  readonly pid: number;
}

export class WorkerCast implements AsyncDisposable {
  readonly said: Said[] = [];
  readonly #args: readonly string[];
  readonly #children = new Set<ChildProcess>();
  /** How many ended by themselves. */
  deaths = 0;

  constructor(...args: string[]) {
    this.#args = args;
  }

  get children(): readonly ChildProcess[] {
    return [...this.#children];
  }

  async start(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [program, ...this.#args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = child.pid!;
    this.#children.add(child);
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => {
      process.off('exit', killWithUs);
      if (this.#children.delete(child)) this.deaths += 1;
    });
    let isReady = false;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [what, time, log, id] = JSON.parse(line) as [Said['what'], number, LogName, EventId];
      if (what === 'ready') isReady = true;
      else this.said.push({ what, time, log, id, pid });
    });
    await eventually(() => isReady || child.exitCode !== null || child.signalCode !== null, {
      timeout: 25_000,
    });
    return child;
  }

  async kill(child: ChildProcess): Promise<void> {
    if (!this.#children.delete(child)) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.children.map((child) => this.kill(child)));
  }

  /** Each event was handled, and none was begun before all earlier ones of its log were done. */
  expectInOrder(expected: ReadonlyMap<LogName, readonly EventId[]>): void {
    const firstDone = new Map<string, number>();
    for (const { what, log, id, time } of this.said) {
      const key = `${log} ${id}`;
      if (what === 'done') firstDone.set(key, Math.min(time, firstDone.get(key) ?? time));
    }
    for (const [log, ids] of expected) {
      for (const [index, id] of ids.entries()) {
        expect(firstDone.has(`${log} ${id}`), `${log} ${id} was handled`).toBe(true);
        if (index === 0) continue;
        const before = firstDone.get(`${log} ${ids[index - 1]}`)!;
        const begun = this.said.filter((each) => each.what === 'begin' && each.log === log);
        for (const each of begun.filter((one) => one.id === id)) {
          expect(each.time, `${log} ${id} came after the one before`).toBeGreaterThan(before);
        }
      }
    }
  }
}
