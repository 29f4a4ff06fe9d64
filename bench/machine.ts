/** What the numbers were measured on, and how busy a process was meanwhile. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly redis: string;
  /** How many file descriptors a process may have, so how many sockets. */
  readonly openFiles: number;
  /** Load average of the last minute when the benchmark started: above 1 somebody else was working. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    redis: redisVersion(),
    openFiles: openFileLimit(),
    loadBefore: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  };
}

function redisVersion(): string {
  const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(text)?.[1] ?? text.trim();
}

/** The soft limit of this process, which its children inherit. Node raises it to the hard one. */
export function openFileLimit(): number {
  const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 1024);
}

const CLOCK_TICKS_PER_SECOND = 100;

/** CPU seconds that a process has used so far, in user and kernel mode together. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; what follows it does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** Measures how much of one core each process uses, in percent, until the returned function is called. */
export function watchCpu<Name extends string>(
  pids: Record<Name, number>,
): () => Record<Name, number> {
  const names = Object.keys(pids) as Name[];
  const startedAt = performance.now();
  const before = names.map((name) => cpuSeconds(pids[name]));
  return () => {
    const seconds = (performance.now() - startedAt) / 1000;
    return Object.fromEntries(
      names.map((name, i) => [name, (100 * (cpuSeconds(pids[name]) - before[i]!)) / seconds]),
    ) as Record<Name, number>;
  };
}
