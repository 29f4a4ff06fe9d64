/** The end of a process whose memory is damaged: nothing that it does from here on can be trusted. */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** EX_IOERR of sysexits.h. */
const EXIT_CODE = 74;

export function endDamagedProcess(problem: string): never {
  const text = `millrace: ${problem}; LMDB has damaged the memory of this process while it said so, therefore the process ends. What was acknowledged is on the disk.\n`;
  try {
    writeSync(2, text);
  } catch {
    // Nobody listens.
  }
  // In a worker, `exit` would end the thread alone.
  if (!isMainThread) process.kill(process.pid, 'SIGKILL');
  process.exit(EXIT_CODE);
}
