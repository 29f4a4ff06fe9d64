/**
 * What the kernel counts as a process' own memory (`RssAnon`): heap, buffers and everything that was
 * allocated natively, in use or garbage, but not the pages of files, which the kernel may drop.
 */
import { readFile } from 'node:fs/promises';

/** In bytes. */
export async function ownMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error('the kernel does not tell RssAnon');
  return Number(kilobytes) * 1_024;
}

/** By how many bytes the process has grown at most while `work` went on. */
export async function mostGrownBy(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = await ownMemory(pid);
  let most = before;
  const watching = setInterval(() => {
    // It may have ended: then `work` says so.
    const look = ownMemory(pid).catch(() => 0);
    void look.then((now) => {
      most = Math.max(most, now);
    });
  }, 10);
  try {
    await work();
  } finally {
    clearInterval(watching);
  }
  return Math.max(most, await ownMemory(pid)) - before;
}
