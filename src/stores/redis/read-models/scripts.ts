/** The script of read models. */
import { loadScript } from '../place/scripts.ts';

export const COMMIT_SCRIPT = loadScript(new URL('commit.lua', import.meta.url), 2);
