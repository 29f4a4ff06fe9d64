/**
 * Loaded into every measured gateway (`node --import`), ours and the baselines alike: tells its
 * memory after a garbage collection. Idle otherwise.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { answerQuestions } from './child.ts';

/** In bytes. */
export interface MemoryReading {
  /** What the operating system gave the process. */
  readonly rss: number;
  /** What is alive: JavaScript objects, and buffers outside of the heap. */
  readonly live: number;
}

answerQuestions(async (): Promise<MemoryReading> => {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await sleep(100);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, live: heapUsed + external };
});
// Without this the probe would keep alive a gateway that is done.
process.channel?.unref();
