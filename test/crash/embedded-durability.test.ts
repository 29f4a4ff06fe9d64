/** An append to the embedded store is acknowledged only when it has been flushed to the disk. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { complaintsAbout } from './embedded-flush-trace.ts';
import { buildOnce } from './embedded-remote.ts';
import { noTracing } from './embedded-tracing.ts';

const here = dirname(fileURLToPath(import.meta.url));
const APPENDS = 10;
const TRACED =
  'openat,write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync,msync,sync_file_range';

const run = promisify(execFile);

let folder: string;

beforeAll(buildOnce, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-durability-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(noTracing !== undefined)(
  noTracing === undefined
    ? 'an acknowledged append'
    : `an acknowledged append (skipped: ${noTracing})`,
  () => {
    it('has been flushed to the disk, with the meta page that makes it count', async () => {
      const traced = await trace('log');
      expect(complaintsAbout(traced, appends('acknowledged'))).toEqual([]);
      // Nobody hears or sees what a power cut could still take back.
      expect(complaintsAbout(traced, appends('told'))).toEqual([]);
      expect(complaintsAbout(traced, appends('seen'))).toEqual([]);
    });

    it.each(['nosync', 'visible'] as const)(
      'would be noticed if it had not been (%s)',
      async (way) => {
        const complaints = complaintsAbout(await trace(way), appends('acknowledged'));
        expect(complaints.length).toBeGreaterThan(0);
      },
    );
  },
);

async function trace(way: 'log' | 'nosync' | 'visible'): Promise<string> {
  const output = join(folder, 'trace');
  const child = [join(here, 'embedded-append-child.mjs'), join(folder, 'store'), way, `${APPENDS}`];
  // Strings of up to a few pages whole: the payloads are looked for in them.
  const options = ['-f', '-y', '-s', '65536', '-e', `trace=${TRACED}`, '-o', output];
  await run('strace', [...options, process.execPath, ...child]);
  return readFileSync(output, 'latin1');
}

function appends(what: 'acknowledged' | 'told' | 'seen') {
  return Array.from({ length: APPENDS }, (_, number) => ({
    payload: `payload-${number}-of-this-test`,
    acknowledgement: `${what}-${number}-of-this-test`,
  }));
}
