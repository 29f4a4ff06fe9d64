/** The scripts of the log. */
import { CLOCK, EVENT_IDS, loadScript, STREAM_FACTS } from '../place/scripts.ts';

const here = (name: string) => new URL(name, import.meta.url);

export const APPEND_SCRIPT = loadScript(here('append.lua'), '3…', CLOCK, STREAM_FACTS);
export const READ_SCRIPT = loadScript(here('read.lua'), 2, EVENT_IDS, STREAM_FACTS);
export const BEFORE_SCRIPT = loadScript(here('before.lua'), 2, EVENT_IDS, STREAM_FACTS);
export const TRIM_SCRIPT = loadScript(here('trim.lua'), 2, EVENT_IDS, STREAM_FACTS);
export const MOVED_SCRIPT = loadScript(here('moved.lua'), '1…', EVENT_IDS, STREAM_FACTS);
