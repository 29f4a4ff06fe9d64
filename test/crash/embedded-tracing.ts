/** Whether system calls can be watched and disturbed here: a capability that some tests need. */
import { spawnSync } from 'node:child_process';

/** Why they cannot, if they cannot. */
export const noTracing = reasonAgainstTracing();

function reasonAgainstTracing(): string | undefined {
  if (process.platform !== 'linux')
    return 'system calls are traced with strace, which is for Linux';
  const { error, status } = spawnSync('strace', ['-o', '/dev/null', 'true']);
  if (error !== undefined) return 'strace is not installed (Debian: apt-get install strace)';
  return status === 0 ? undefined : 'this system does not let strace trace (ptrace is forbidden)';
}
