/**
 * A disk that others fill, to the last byte, while everything that writes to a folder is at work:
 * `unavailable`, nothing lost, and it goes on by itself when there is room.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { FailingDisk, noFailingDisk } from '../support/failing-disk.ts';
import { mountSmallDisk, noMount, unmount } from '../support/small-disk.ts';
import { Deeds, KINDS, succeeded } from './deeds.ts';
import { buildOnce, RemoteLog } from './embedded-remote.ts';
import { leftovers } from './leftovers.ts';

const PAGE = 4_096;
const noLimit =
  process.platform === 'linux'
    ? undefined
    : 'a limit on the size of files (skipped: prlimit is of Linux)';
const program = 'embedded-store-child.mjs';

let folder: string;
let store: string;

beforeAll(buildOnce, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-full-'));
  store = join(folder, 'store');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Somebody else's file, which takes what there is. */
class Filler {
  readonly #file = openSync(join(folder, 'filler'), 'w');
  #size = 0;

  constructor() {
    const { blocks, bsize } = statfsSync(folder);
    // Never the machine's own, should the small one not be there.
    if (blocks * bsize > 100_000_000) throw new Error(`${folder} is on no small disk`);
  }

  /** Fills the disk but for so many pages. */
  fill(left = 0): void {
    const bytes = Buffer.alloc(PAGE, 1);
    try {
      for (;;) this.#size += writeSync(this.#file, bytes, 0, PAGE, this.#size);
    } catch {
      // full
    }
    this.#size = Math.max(0, Math.floor(this.#size / PAGE) - left) * PAGE;
    ftruncateSync(this.#file, this.#size);
  }

  empty(): void {
    this.#size = 0;
    ftruncateSync(this.#file, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}

describe.skipIf(noMount !== undefined)(
  noMount === undefined
    ? 'a disk that others fill'
    : `a disk that others fill (skipped: ${noMount})`,
  () => {
    let filler: Filler;

    beforeEach(() => {
      mountSmallDisk(folder, '24m');
      filler = new Filler();
    });

    afterEach(() => {
      filler.close();
      unmount(folder);
    });

    it('at every step of every kind of write', async () => {
      await using remote = new RemoteLog(store, [], { program });
      succeeded(await remote.call('open'));
      const deeds = new Deeds();
      const met = new Set<string>();
      for (const kind of KINDS) {
        for (let left = 0; left < 14; left++) {
          const fill = () => filler.fill(left);
          met.add(await deeds.tryOut(remote, kind, fill, () => filler.empty()));
        }
        expect(await deeds.tryOut(remote, kind)).toBe('ok');
      }
      expect([...met].sort()).toEqual(['ok', 'unavailable']);
      succeeded(await remote.call('close'));

      // Full to the last byte, it can still be opened and read.
      filler.fill();
      succeeded(await remote.call('open'));
      succeeded(await remote.call('payloads', 'account:1'));
      filler.empty();
      await deeds.verify(remote);
      succeeded(await remote.call('close'));
      expect(await leftovers(store)).toEqual([]);
    }, 60_000);

    it.skipIf(noFailingDisk !== undefined)(
      'where a failed write would do harm: nothing is tried any more',
      async () => {
        const disk = new FailingDisk();
        using _ = { [Symbol.dispose]: () => disk.remove() };
        const env = { ...disk.env, FAILING_DISK_SHUTS_MEMORY: '1' };
        await using remote = new RemoteLog(store, [], { program, env });
        succeeded(await remote.call('open'));
        const deeds = new Deeds();
        for (const kind of KINDS) {
          for (const left of [0, 1, 7]) {
            const fill = () => filler.fill(left);
            const code = await deeds.tryOut(remote, kind, fill, () => filler.empty());
            expect([kind, code]).toEqual([kind, 'unavailable']);
          }
          expect(await deeds.tryOut(remote, kind)).toBe('ok');
        }
        succeeded(await remote.call('close'));
        filler.fill(100);
        expect(await remote.call('open', join(folder, 'new'))).toMatchObject({
          code: 'store_unusable',
        });
        expect(remote.said).not.toContain('Write error');
      },
    );

    it('with a worker and a projection at work, through many trims', async () => {
      await using remote = new RemoteLog(store, [], { program: 'embedded-busy-child.mjs' });
      succeeded(await remote.call('open'));
      succeeded(await remote.call('append', 60));
      succeeded(await remote.call('start'));
      for (let log = 0; log < 8; log++) {
        filler.fill();
        // It may find all that it needs within the file.
        const answer = await remote.call('trim', `account:${log}`);
        const what = `${JSON.stringify(answer)} ${remote.exit}\n${remote.said}`;
        expect([undefined, 'unavailable'], what).toContain(answer.code);
      }

      filler.empty();
      for (let log = 0; log < 8; log++) {
        succeeded(await remote.call('trim', `account:${log}`));
      }
      succeeded(await remote.call('append', 10));
      await eventually(async () => {
        expect(succeeded(await remote.call('status'))).toEqual({
          lag: 0,
          projection: 'live',
          counted: 700,
          handled: 700,
        });
      });
      succeeded(await remote.call('close'));
      expect(await leftovers(store)).toEqual([]);
    }, 60_000);

    it('before there is a store: it says so, and can be opened when there is room', async () => {
      await using remote = new RemoteLog(store, [], { program });
      const codes = new Set<string | undefined>();
      // The largest that a new store needs is below 40 pages.
      for (let left = 0; left < 40; left++) {
        const at = join(folder, `new-${left}`);
        mkdirSync(at);
        filler.fill(left);
        const answer = await remote.call('open', at);
        codes.add(answer.code);
        if (answer.code === undefined) {
          succeeded(await remote.call('close'));
        } else {
          expect(answer, `${left}; ${remote.said}`).toMatchObject({
            code: 'store_unusable',
            message: expect.stringContaining('the disk is full'),
          });
          filler.empty();
          succeeded(await remote.call('open', at));
          succeeded(await remote.call('do', 'append', left));
          succeeded(await remote.call('close'));
        }
        filler.empty();
        rmSync(at, { recursive: true });
      }
      expect([...codes].sort()).toEqual(['store_unusable', undefined]);
    }, 60_000);
  },
);

describe.skipIf(noLimit !== undefined)(noLimit ?? 'a limit on the size of files', () => {
  it('at every step of every kind of write: unavailable until it is raised', async () => {
    // As a shell's `ulimit -f` sets it; the signal that comes with it is ignored by Node.
    await using remote = new RemoteLog(store, [], { program });
    succeeded(await remote.call('open'));
    const limit = (bytes: number | string) =>
      execFileSync('prlimit', [`--pid=${remote.pid}`, `--fsize=${bytes}:`]);
    const deeds = new Deeds();
    const met = new Set<string>();
    for (const kind of KINDS) {
      for (let more = 0; more < 8; more++) {
        const { size } = statSync(join(store, 'data.mdb'));
        const fault = () => limit(more === 0 ? size / 2 : size + (more - 1) * PAGE);
        met.add(await deeds.tryOut(remote, kind, fault, () => limit('unlimited')));
      }
      expect(await deeds.tryOut(remote, kind)).toBe('ok');
    }
    expect([...met]).toContain('unavailable');
    succeeded(await remote.call('close'));
    succeeded(await remote.call('open'));
    await deeds.verify(remote);
  }, 60_000);
});
