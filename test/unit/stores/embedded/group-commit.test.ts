import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MillraceError } from '../../../../src/event/error.ts';
import {
  OutcomeUnknown,
  Unavailable,
  VersionConflict,
} from '../../../../src/event/store-errors.ts';
import {
  GroupCommit,
  type Work,
  type WriteBatch,
} from '../../../../src/stores/embedded/group-commit.ts';
import type { OrderedMap } from '../../../../src/stores/embedded/ordered-map.ts';
import type { BatchWriter, Write } from '../../../../src/stores/embedded/store-writer.ts';

const database = {} as OrderedMap<string, unknown>;

/** A disk whose answers the test gives. */
class Disk implements BatchWriter {
  readonly batches: (readonly Write[])[] = [];
  #answer: ((error?: MillraceError) => void) | undefined;

  write(writes: readonly Write[]): Promise<MillraceError | undefined> {
    this.batches.push(writes);
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  async answer(error?: MillraceError): Promise<void> {
    await vi.waitFor(() => expect(this.#answer).toBeDefined());
    const answer = this.#answer!;
    this.#answer = undefined;
    answer(error);
  }

  keys(): unknown[][] {
    return this.batches.map((writes) => writes.map(({ key }) => key));
  }
}

let disk: Disk;
let room: number;
let mayFree: boolean;
let commits: GroupCommit;
let told: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
  disk = new Disk();
  room = Number.POSITIVE_INFINITY;
  mayFree = true;
  commits = new GroupCommit(disk, { room: () => room, mayFree: () => mayFree });
  told = [];
});

afterEach(() => {
  vi.useRealTimers();
});

function work(name: string, more: Partial<Work> = {}): Work {
  return {
    bytes: 100,
    decide: (batch: WriteBatch) => batch.put(database, name, new Uint8Array()),
    settle: () => told.push(`${name} settled`),
    fail: ({ code }) => told.push(`${name} ${code}`),
    late: () => told.push(`${name} late`),
    ...more,
  };
}

const eventually = (expected: string[]) => vi.waitFor(() => expect(told).toEqual(expected));

describe('a group commit', () => {
  it('shares one write among what is submitted in a turn, and among what comes meanwhile', async () => {
    commits.submit(work('a'));
    commits.submit(work('b'));
    await vi.waitFor(() => expect(disk.keys()).toEqual([['a', 'b']]));
    commits.submit(work('c'));
    commits.submit(work('d'));
    expect(told).toEqual([]);
    await disk.answer();
    await eventually(['a settled', 'b settled']);
    await disk.answer();
    await eventually(['a settled', 'b settled', 'c settled', 'd settled']);
    expect(disk.keys()).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('tells a refusal only when what it was decided upon is on the disk', async () => {
    const refused = work('b', {
      decide: () => {
        throw new VersionConflict('account:1' as never, '0-0' as never, '1-0' as never);
      },
    });
    commits.submit(work('a'));
    commits.submit(refused);
    await vi.waitFor(() => expect(disk.batches).toHaveLength(1));
    expect(told).toEqual([]);
    await disk.answer();
    await eventually(['a settled', 'b version_conflict']);
  });

  it('fails all of a batch that failed; what was refused anyway has sent nothing', async () => {
    const refused = work('b', {
      decide: () => {
        throw new VersionConflict('account:1' as never, '0-0' as never, '1-0' as never);
      },
    });
    commits.submit(work('a'));
    commits.submit(refused);
    await disk.answer(new OutcomeUnknown('gone'));
    await eventually(['a outcome_unknown', 'b unavailable']);
    commits.submit(work('c'));
    await disk.answer(new Unavailable('full'));
    await eventually(['a outcome_unknown', 'b unavailable', 'c unavailable']);
    commits.submit(work('d'));
    await disk.answer();
    await vi.waitFor(() => expect(told.at(-1)).toBe('d settled'));
  });

  it('leaves the disk alone when there is nothing to write', async () => {
    commits.submit(work('a', { decide: () => {} }));
    await eventually(['a settled']);
    expect(disk.batches).toEqual([]);
  });

  it('gives up what a disk does not answer, and tells when it has answered after all', async () => {
    commits.submit(work('a'));
    await vi.waitFor(() => expect(disk.batches).toHaveLength(1));
    commits.submit(work('b'));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(told).toEqual(['a outcome_unknown', 'b unavailable']);
    commits.submit(work('c'));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(told.at(-1)).toBe('c unavailable');
    commits.submit(work('d'));
    await disk.answer();
    await vi.waitFor(() => expect(told.at(-1)).toBe('a late'));
    await disk.answer();
    await vi.waitFor(() => expect(told.at(-1)).toBe('d settled'));
    expect(disk.keys()).toEqual([['a'], ['d']]);
  });

  it('stops ahead of a full disk, except for what makes room', async () => {
    room = 50_000;
    commits.submit(work('a'));
    commits.submit(work('b', { bytes: 10_000 }));
    commits.submit(work('c', { bytes: 1_000_000, frees: true }));
    await disk.answer();
    await eventually(['a settled', 'b unavailable', 'c settled']);
    expect(disk.keys()).toEqual([['a', 'c']]);
  });

  it('stops what makes room as well, where the disk must not be tried', async () => {
    mayFree = false;
    commits.submit(work('a', { frees: true }));
    commits.submit(work('b'));
    await disk.answer();
    await eventually(['a unavailable', 'b settled']);
    expect(disk.keys()).toEqual([['b']]);
  });

  it('bounds what waits', async () => {
    for (let index = 0; index < 3; index++) commits.submit(work(`${index}`, { bytes: 1e8 }));
    await vi.waitFor(() => expect(told).toEqual(['2 unavailable']));
  });

  it('closes when the work at hand is done, and takes no more', async () => {
    commits.submit(work('a'));
    await vi.waitFor(() => expect(disk.batches).toHaveLength(1));
    commits.submit(work('b'));
    const closing = commits.close(1_000);
    commits.submit(work('c'));
    expect(told).toEqual(['c closed']);
    await disk.answer();
    await disk.answer();
    expect(await closing).toBe(true);
    expect(told).toEqual(['c closed', 'a settled', 'b settled']);
  });

  it('closes in time when the disk hangs', async () => {
    commits.submit(work('a'));
    await vi.waitFor(() => expect(disk.batches).toHaveLength(1));
    commits.submit(work('b'));
    const closing = commits.close(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await closing).toBe(false);
    expect(told).toEqual(['a outcome_unknown', 'b unavailable']);
  });
});
