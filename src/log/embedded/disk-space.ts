/**
 * How much may still be written before the disk is full. We stop ahead of that: lmdb-js 3.5 can
 * crash the process when LMDB itself runs into a full disk (while it describes the failed write it
 * writes beyond a buffer of 100 bytes), and trimming, which makes room, needs some itself.
 */
import { statfsSync } from 'node:fs';
import type { Database, RootDatabase } from 'lmdb';

/** What appends leave alone. */
const RESERVE = 8_388_608;
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
  readonly #databases: Database[] = [];

  constructor(folder: string, root: RootDatabase) {
    this.#folder = folder;
    this.#root = root;
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

function freeOnDisk(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY; // a file system that does not tell
  }
}
