/**
 * Builds the gateway on Centrifuge when the benchmark is run, where there is a Go that can. Nobody
 * needs Go for Millrace or for the rest of the benchmark.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** `bench/centrifuge/` and `bench/build/`, seen from the compiled file. */
const SOURCE = fileURLToPath(new URL('../../../centrifuge/', import.meta.url));
export const CENTRIFUGE_SERVER = fileURLToPath(new URL('../../centrifuge-server', import.meta.url));

const BUILD_WITHIN_MS = 300_000;
const LINES_OF_A_REASON = 2;

/** Why there is no {@link CENTRIFUGE_SERVER}; undefined when it is built from the present source. */
export async function buildCentrifuge(
  progress: (text: string) => void,
): Promise<string | undefined> {
  progress('building the gateway on Centrifuge (bench/centrifuge, one to three minutes at first)');
  try {
    await promisify(execFile)('go', ['build', '-o', CENTRIFUGE_SERVER, '.'], {
      cwd: SOURCE,
      // A Go that is too old says so, where it would otherwise fetch another one.
      env: { ...process.env, GOTOOLCHAIN: 'local' },
      timeout: BUILD_WITHIN_MS,
    });
    return undefined;
  } catch (error) {
    return reason(error as Error & { code?: unknown; killed?: boolean; stderr?: string });
  }
}

function reason(error: Error & { code?: unknown; killed?: boolean; stderr?: string }): string {
  if (error.code === 'ENOENT') return 'there is no go on the PATH';
  if (error.killed === true) return `go build took more than ${BUILD_WITHIN_MS / 1000} s`;
  const lines = (error.stderr ?? '').split('\n').filter((line) => /\S/.test(line));
  const telling = lines.filter((line) => !line.startsWith('go: downloading'));
  return `go build failed: ${telling.slice(0, LINES_OF_A_REASON).join(' / ') || error.message}`;
}
