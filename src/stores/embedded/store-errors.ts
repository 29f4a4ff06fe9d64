/** What can go wrong with the folder of an embedded store, in words that say what to do. */
import { MillraceError } from '../../event/error.ts';

/** Less than that is left where a write was cut short. */
const FEW_BYTES = 1_048_576;

/** Another process has the folder, or this one has it open already. */
export class StoreLocked extends MillraceError {
  readonly folder: string;
  /** The process that has it, as far as known. */
  readonly owner: number | undefined;

  constructor(folder: string, owner: number | undefined) {
    super('store_locked', `the store in ${folder} is in use by ${who(owner)}`);
    this.folder = folder;
    this.owner = owner;
  }
}

/** The folder cannot hold a store, or holds something else. */
export class StoreUnusable extends MillraceError {
  readonly folder: string;

  constructor(folder: string, problem: string, options?: ErrorOptions) {
    super('store_unusable', `the store folder ${folder} cannot be used: ${problem}`, options);
    this.folder = folder;
  }
}

function who(owner: number | undefined): string {
  if (owner === process.pid) {
    return 'this very process; open a folder once and share the store, or close the other one first';
  }
  const process_ = owner === undefined ? 'another process' : `the process with ID ${owner}`;
  return `${process_}; stop that one first, or choose another folder`;
}

/**
 * What a file-system or LMDB error means to somebody who chose the folder.
 * @param free how much room there is on its disk
 */
export function describeProblem(error: unknown, free = Number.POSITIVE_INFINITY): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  // With whatever code: lmdb-js has asked once more why.
  if (text.includes('MDB_PANIC')) {
    return 'the last step of a commit failed; look after the disk, and open the store again';
  }
  switch (code) {
    case 'ENOTDIR':
    case 'EEXIST':
      return 'it, or a folder above it, is a file; name a folder';
    case 'EACCES':
    case 'EPERM':
    case 13:
      return 'this user may not write there; change its owner or its permissions, or choose another folder';
    case 'ENOENT':
      return 'it cannot be made there';
    case 'EROFS':
    case 30:
      return 'it is on a read-only file system';
    case 'ENOSPC':
    case 28:
      return 'the disk is full';
    case 'EIO':
    case 5: // LMDB says so, too, when the disk took only a part of what was to be written
      return free < FEW_BYTES
        ? 'the disk is full'
        : 'the disk reported an input/output error, or has no room for all that was to be written';
    case 'EDQUOT':
    case 122:
      return 'the disk quota is used up';
    case 'EFBIG':
    case 27:
      return 'a limit on the size of files is reached (see `ulimit -f`)';
    case -30793: // MDB_INVALID
    case -30794: // MDB_VERSION_MISMATCH
      return `data.mdb in it is not a database that this version can read (${text})`;
    default:
      return text;
  }
}
