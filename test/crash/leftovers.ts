/** What a store in a folder still has to delete, and has not. */
import { open } from 'lmdb';

/** @returns the names of databases of pending deletions that are not empty */
export async function leftovers(folder: string): Promise<string[]> {
  const root = open(folder, { noSubdir: false, overlappingSync: false, maxDbs: 32 });
  const names = ['trims', 'read_model_drops'];
  const left = names.filter((name) => {
    const database = root.openDB({ name, keyEncoding: 'binary', encoding: 'binary' });
    return database.getKeysCount() > 0;
  });
  await root.close();
  return left;
}
