/** The scripts of the feed. */
import { EVENT_IDS, loadScript, STREAM_FACTS } from '../place/scripts.ts';

const here = (name: string) => new URL(name, import.meta.url);

export const FEED_SCRIPT = loadScript(here('feed.lua'), 1, EVENT_IDS, STREAM_FACTS);
export const INDEX_SCRIPT = loadScript(here('index.lua'), '3…', STREAM_FACTS);
export const STRETCHES_SCRIPT = loadScript(here('stretches.lua'), 1, STREAM_FACTS);
export const MARKS_SCRIPT = loadScript(here('marks.lua'), 1);
