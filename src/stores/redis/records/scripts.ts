/** The script of records. */
import { loadScript } from '../place/scripts.ts';

export const BATCH_SCRIPT = loadScript(new URL('batch.lua', import.meta.url), '1…');
