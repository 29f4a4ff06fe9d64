/**
 * How much may still be written before the disk is full. Appends stop ahead of that: trimming, which
 * makes room, needs some itself. What others write, a quota or a limit may still make a write fail;
 * where that would harm the process (see write-error-text.ts), trimming stops ahead of it too.
 */
import { statfsSync } from 'node:fs';
import type { Database, RootDatabase } from 'lmdb';

/** What appends leave alone. */
const RESERVE = 8_388_608;
/** What trimming leaves alone, where a failed write does harm. */
const LAST_RESERVE = 2_097_152;
/** With that much there is no need to look any closer. */
const PLENTY = 1_073_741_824;

interface PageCounts {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface Stats extends PageCounts {
  readonly root: PageCounts;
  readonly free: PageCounts;
  readonly lastPageNumber: number;
}

export class DiskSpace {
  readonly #folder: string;
  readonly #root: RootDatabase;
  readonly #failuresAreHarmless: boolean;
  readonly #databases: Database[] = [];

  constructor(folder: string, root: RootDatabase, failuresAreHarmless: boolean) {
    this.#folder = folder;
    this.#root = root;
    this.#failuresAreHarmless = failuresAreHarmless;
  }

  /** Pages in this database are in use. */
  count(database: Database): void {
    this.#databases.push(database);
  }

  /** How many bytes appends may write; none when it is not certain that LMDB can write them. */
  room(): number {
    const disk = freeOnDisk(this.#folder);
    if (disk >= PLENTY) return disk;
    if (disk < RESERVE) return 0;
    // Half of what is free within the file: not all of it can be used at once.
    return disk - RESERVE + this.#freeInFile() / 2;
  }

  /** Whether work that makes room, and needs little, may be tried. */
  mayFree(): boolean {
    return this.#failuresAreHarmless || freeOnDisk(this.#folder) >= LAST_RESERVE;
  }

  /** @throws ENOSPC where a database is to be made, and a write that fails would do harm */
  mustHaveRoom(): void {
    if (!this.mayFree()) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  }

  #freeInFile(): number {
    const { root, free, lastPageNumber } = this.#root.getStats() as Stats;
    const databases = this.#databases.map((database) => database.getStats() as Stats);
    const used = [root, free, ...databases].reduce(
      (sum, { treeBranchPageCount, treeLeafPageCount, overflowPages }) =>
        sum + treeBranchPageCount + treeLeafPageCount + overflowPages,
      0,
    );
    return Math.max(0, lastPageNumber - used) * root.pageSize;
  }
}

/** How many bytes this process may still put on the disk of `folder`, as far as that is known. */
export function freeOnDisk(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY; // a file system that does not tell
  }
}
