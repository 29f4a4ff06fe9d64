/** The `.env` of the working directory. */
import { readFileSync } from 'node:fs';
import { CommandFailure } from '../failure.ts';

/** Its text, if there is one. */
export function readDotEnv(): string | undefined {
  try {
    return readFileSync('.env', 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') return undefined;
    throw new CommandFailure(`.env cannot be read: ${message}`);
  }
}
