/**
 * The build that a run measures: a copy of `dist/`, so that a build in the middle of a run does
 * not change what is measured half-way.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `package/` in the folder of the compiled benchmark; the repository is three levels up. */
const copy = new URL('../package/', import.meta.url);
const repository = new URL('../../../', import.meta.url);

/** Takes the copy; once, before anything is measured. */
export function takeMeasuredBuild(): void {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(new URL('dist', repository), new URL('dist', copy), { recursive: true });
  cpSync(new URL('package.json', repository), new URL('package.json', copy));
}

/** A file of that build, as `cli/millrace.js`. */
export function measuredFile(path: string): URL {
  return new URL(`dist/${path}`, copy);
}

export function measuredPath(path: string): string {
  return fileURLToPath(measuredFile(path));
}
