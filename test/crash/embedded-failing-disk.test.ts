/**
 * Every kind of write to a folder, with every step of it failing, in every way: the process lives,
 * the answer is `unavailable` (or `outcome_unknown`, at the very last step), what was answered is
 * what is there, also after opening the folder anew, and work goes on once the disk does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ERRORS, FailingDisk, noFailingDisk } from '../support/failing-disk.ts';
import { mountSmallDisk, noMount, unmount } from '../support/small-disk.ts';
import { Deeds, KINDS, succeeded, TRACELESS } from './deeds.ts';
import { buildOnce, RemoteLog } from './embedded-remote.ts';
import { leftovers } from './leftovers.ts';

const ALL_ERRORS = Object.entries(ERRORS);
const program = 'embedded-store-child.mjs';

let folder: string;
let disk: FailingDisk;

beforeAll(buildOnce, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-failing-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(noFailingDisk !== undefined)(
  noFailingDisk === undefined
    ? 'a disk that fails'
    : `a disk that fails (skipped: ${noFailingDisk})`,
  () => {
    beforeEach(() => {
      disk = new FailingDisk();
    });

    afterEach(() => {
      disk.remove();
    });

    it('in a write of pages or in a flush: nothing happened, and everything goes on', async () => {
      await using remote = new RemoteLog(folder, [], { program, env: disk.env });
      succeeded(await remote.call('open'));
      const deeds = new Deeds();
      const met = new Map<string, number>();
      for (const kind of KINDS) {
        // How many steps it has, when nothing fails.
        await deeds.tryOut(remote, kind, () => disk.seen());
        const steps = disk.seen();
        expect(steps.page, kind).toBeGreaterThan(0);
        for (let skip = 0; skip < steps.page; skip++) {
          const [name, error] = ALL_ERRORS[skip % ALL_ERRORS.length]!;
          const fault = () => disk.fail('page', error, skip, 1);
          const code = await deeds.tryOut(remote, kind, fault, () => disk.heal());
          met.set(`${name} ${code}`, (met.get(`${name} ${code}`) ?? 0) + 1);
        }
        for (const [name, error] of ALL_ERRORS) {
          const fault = () => disk.fail('page', error);
          const code = await deeds.tryOut(remote, kind, fault, () => disk.heal());
          expect([kind, name, code]).toEqual([kind, name, 'unavailable']);
        }
        const flush = () => disk.fail('sync', ERRORS.EIO, 0, 1);
        expect(await deeds.tryOut(remote, kind, flush, () => disk.heal())).toBe('unavailable');
        expect(await deeds.tryOut(remote, kind)).toBe('ok');
      }
      for (const [name] of ALL_ERRORS) expect([...met.keys()]).toContain(`${name} unavailable`);
      succeeded(await remote.call('close'));
      succeeded(await remote.call('open'));
      await deeds.verify(remote);
      succeeded(await remote.call('close'));
      expect(await leftovers(folder)).toEqual([]);
    }, 60_000);

    it('in a deletion that goes on behind a trim or a drop: it is tried again by itself', async () => {
      await using remote = new RemoteLog(folder, [], { program, env: disk.env });
      succeeded(await remote.call('open'));
      for (const [index, kind] of (['trim', 'drop'] as const).entries()) {
        succeeded(await remote.call('prepare', kind, index));
        // The mark is one commit, the deletion another.
        disk.fail('sync', ERRORS.EIO, 1);
        succeeded(await remote.call('do', kind, index));
        await eventually(() => expect(remote.said).toContain('Input/output error'));
        remote.said = '';
        disk.seen();
        disk.heal();
        await eventually(() => disk.seen().meta > 0);
      }
      succeeded(await remote.call('close'));
      expect(await leftovers(folder)).toEqual([]);
    });

    it('in the last write of a commit: the outcome is unknown until it is opened again', async () => {
      // On a small disk, where it is looked at closely how much is left.
      const small = noMount === undefined;
      if (small) mountSmallDisk(folder, '64m');
      using _ = { [Symbol.dispose]: () => small && unmount(folder) };
      await using remote = new RemoteLog(folder, [], { program, env: disk.env });
      const deeds = new Deeds();
      for (const kind of KINDS) {
        succeeded(await remote.call('open'));
        const fault = () => disk.fail('meta', ERRORS.EIO);
        expect(await deeds.tryOut(remote, kind, fault, () => disk.heal())).toBe('outcome_unknown');
        for (const other of KINDS.filter((each) => each !== 'work')) {
          const answer = await remote.call('do', other, 1_000);
          expect(answer, `${other} ${remote.exit}\n${remote.said}`).toMatchObject({
            code: 'unavailable',
            message: expect.stringMatching(/open the store again|when it is opened again/),
          });
        }
        for (const other of KINDS.filter((each) => !TRACELESS.includes(each))) {
          const { code } = await remote.call('isDone', other, 1_000);
          expect([undefined, 'unavailable'], `${other} ${remote.exit}`).toContain(code);
        }
        succeeded(await remote.call('close'));
      }
      succeeded(await remote.call('open'));
      await deeds.verify(remote);
      expect(await deeds.tryOut(remote, 'append')).toBe('ok');
    }, 60_000);

    it('while a new folder is opened, or one of an older version: says so, and opens it later', async () => {
      await using remote = new RemoteLog(folder, [], { program, env: disk.env });
      const make = async (isNew: boolean) => {
        const at = join(folder, `${Math.random()}`);
        if (!isNew) succeeded(await remote.call('openLog', at));
        disk.seen();
        return at;
      };
      for (const isNew of [true, false]) {
        succeeded(await remote.call('open', await make(isNew)));
        succeeded(await remote.call('close'));
        const steps = disk.seen();
        const codes: (string | undefined)[] = [];
        for (const step of ['page', 'sync', 'meta'] as const) {
          // Its commits are all alike: one in four stands for them.
          for (let skip = 0; skip < steps[step]; skip += 4) {
            const at = await make(isNew);
            const [, error] = ALL_ERRORS[skip % ALL_ERRORS.length]!;
            disk.fail(step, step === 'page' ? error : ERRORS.EIO, skip);
            const answer = await remote.call('open', at);
            const what = `${isNew} ${step} ${skip}: ${JSON.stringify(answer)} ${remote.said}`;
            // In an older one the last steps are those of a deletion that goes on.
            const allowed = isNew ? ['store_unusable'] : ['store_unusable', undefined];
            expect(allowed, what).toContain(answer.code);
            codes.push(answer.code);
            if (answer.code === undefined) succeeded(await remote.call('close'));
            disk.heal();
            succeeded(await remote.call('open', at));
            if (!isNew)
              expect(await remote.call('payloads', 'account:1')).toEqual({ ok: ['first'] });
            expect(await remote.call('do', 'append', 1)).toHaveProperty('ok');
            succeeded(await remote.call('close'));
          }
        }
        expect(codes.filter((code) => code === 'store_unusable').length).toBeGreaterThan(4);
      }
    }, 60_000);

    it('ends the process where LMDB damages its memory, and loses nothing', async () => {
      const deeds = new Deeds();
      const ends = new Set<number | string | null>();
      for (let round = 0; round < 4; round++) {
        const env = { ...disk.env, FAILING_DISK_SHUTS_MEMORY: '1' };
        await using remote = new RemoteLog(folder, [], { program, env });
        succeeded(await remote.call('open'));
        for (let index = 0; index < 20 && remote.exit === null; index++) {
          succeeded(await remote.call('do', 'append', 10_000 * (round + 1) + index));
          disk.fail('page', ERRORS.EIO, 0, 1);
          await remote.call('do', 'append', 0);
          disk.heal();
          // Texts of 100 characters and more do not fit.
          const texts = remote.said.match(/Attempting to write page at position .*/g) ?? [];
          const damaged = texts.some((text) => text.length >= 100);
          if (damaged) {
            await expect.poll(() => remote.exit, { timeout: 5_000 }).not.toBeNull();
            expect(remote.said).toContain('millrace: writing failed');
          }
        }
        ends.add(remote.exit);
        // The C library may have found it out first.
        expect([null, 74, 'SIGABRT']).toContain(remote.exit);
      }
      expect(
        [74, 'SIGABRT'].some((end) => ends.has(end)),
        'it was damaged at all',
      ).toBe(true);
      await using after = new RemoteLog(folder, [], { program });
      succeeded(await after.call('open'));
      const payloads = succeeded(await after.call('payloads', 'account:1')) as number[];
      expect(payloads.filter((payload) => payload === 0)).toEqual([]);
      expect(payloads.length).toBeGreaterThan(4);
      await deeds.verify(after);
    }, 60_000);
  },
);
