/**
 * What the embedded log says when the disk fails it, and what is true afterwards: `unavailable`
 * means that nothing happened, `outcome_unknown` that it may have, an answer that it did.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogName } from '../../src/event/log-name.ts';
import { EmbeddedLog } from '../../src/stores/embedded/log/embedded-log.ts';
import { eventually } from '../support/eventually.ts';
import { mountSmallDisk, noMount, unmount } from '../support/small-disk.ts';
import { type Answer, buildOnce, RemoteLog } from './embedded-remote.ts';
import { noTracing } from './embedded-tracing.ts';

const LOG = 'account:1' as LogName;
const event = (payload: string) => [{ type: 'Tested', payload }];

let folder: string;

beforeAll(buildOnce, 60_000);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  // Opening a new store makes its databases; the faults are for the appends.
  await (await EmbeddedLog.open(folder)).close();
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(noMount !== undefined)(
  noMount === undefined ? 'a disk that is full' : `a disk that is full (skipped: ${noMount})`,
  () => {
    it('refuses appends as unavailable until there is room again', async () => {
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      mountSmallDisk(disk, '24m');
      try {
        const log = await EmbeddedLog.open(join(disk, 'store'));
        const kept: string[] = [];
        const fill = async () => {
          for (let index = 0; index < 1_000; index++) {
            const payload = `${index} ${'x'.repeat(50_000)}`;
            await log.append(LOG, event(payload));
            kept.push(payload);
          }
        };
        await expect(fill()).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringContaining('the disk is full'),
        });
        expect(kept.length).toBeGreaterThan(100);
        const { events, version } = await log.read(LOG, { limit: 1_000, maxBytes: 100_000_000 });
        expect(events.map(({ payload }) => payload)).toEqual(kept);

        // What was trimmed is room again, as soon as it has been deleted.
        await log.trim(LOG, version);
        await eventually(() => log.append(LOG, event('again')));
        await log.close();
      } finally {
        unmount(disk);
      }
    });
  },
);

describe('a disk that takes no more', () => {
  it('refuses appends as unavailable until it does, and costs nothing else', async () => {
    // A limit on the size of files stands for quotas and the like, which nobody can foresee.
    const limited = ['bash', '-c', `trap '' XFSZ; ulimit -S -f 1024; exec "$@"`, 'bash'];
    await using remote = new RemoteLog(folder, limited);
    await remote.call('open');
    const kept: string[] = [];
    let refusal: Answer | undefined;
    for (let index = 0; index < 100 && refusal === undefined; index++) {
      const payload = `${index} ${'x'.repeat(50_000)}`;
      const answer = await remote.call('append', LOG, event(payload));
      if (answer.code === undefined) kept.push(payload);
      else refusal = answer;
    }
    expect(kept.length).toBeGreaterThan(3);
    expect(refusal).toMatchObject({ code: 'unavailable' });
    expect(await payloads(remote)).toEqual(kept);
    execFileSync('prlimit', [`--pid=${remote.pid}`, '--fsize=unlimited:']);
    expect(await remote.call('append', LOG, event('again'))).toHaveProperty('ok');
    expect(await payloads(remote)).toEqual([...kept, 'again']);
  });
});

describe.skipIf(noTracing !== undefined)(
  noTracing === undefined ? 'a disk that fails' : `a disk that fails (skipped: ${noTracing})`,
  () => {
    it('in a flush: nothing happened, and the store goes on', async () => {
      await using remote = new RemoteLog(folder, faults('fdatasync:error=EIO:when=2'));
      await remote.call('open');
      expect(await remote.call('append', LOG, event('first'))).toHaveProperty('ok');
      expect(await remote.call('append', LOG, event('second'))).toMatchObject({
        code: 'unavailable',
      });
      expect(await payloads(remote)).toEqual(['first']);
      expect(await remote.call('append', LOG, event('third'))).toHaveProperty('ok');
      expect(await payloads(remote)).toEqual(['first', 'third']);
      await remote.end();
      expect(await payloadsOnDisk()).toEqual(['first', 'third']);
    });

    it('in any of its writes: what was answered is what is there', async () => {
      const seen = new Set<string>();
      for (let write = 1; write <= 6; write++) {
        const from = (await payloadsOnDisk()).length;
        const fault = faults(`pwrite64,pwritev,writev:error=EIO:when=${write}`);
        const remote = new RemoteLog(folder, fault);
        await remote.call('open');
        const expected = ['first', 'second', 'third'].map((what) => `${what} ${write}`);
        const codes: string[] = [];
        for (const payload of expected) {
          const { code = 'ok' } = await remote.call('append', LOG, event(payload));
          codes.push(code);
          seen.add(code);
        }
        await remote.end();
        const kept = (await payloadsOnDisk()).slice(from);
        const sure = expected.filter((_, index) => codes[index] === 'ok');
        const possible = expected.filter((_, index) => codes[index] !== 'unavailable');
        expect([sure, possible], `${write}: ${codes}`).toContainEqual(kept);
      }
      // All three were met, so the last write of a commit was among those that failed.
      expect([...seen]).toEqual(expect.arrayContaining(['ok', 'outcome_unknown', 'unavailable']));
    }, 60_000);
  },
);

function faults(inject: string): string[] {
  return [
    'strace',
    '-f',
    '-o',
    '/dev/null',
    '-P',
    join(folder, 'data.mdb'),
    '-e',
    `inject=${inject}`,
  ];
}

async function payloads(remote: RemoteLog): Promise<string[]> {
  const answer = await remote.call('read', LOG, { limit: 1000, maxBytes: 100_000_000 });
  if (answer.code !== undefined) throw new Error(answer.message);
  return answer.ok.events.map(({ payload }: { payload: string }) => payload);
}

async function payloadsOnDisk(): Promise<unknown[]> {
  const log = await EmbeddedLog.open(folder);
  const { events } = await log.read(LOG, { limit: 1000, maxBytes: 100_000_000 });
  await log.close();
  return events.map(({ payload }) => payload);
}
