/** The scripts of the feed. */
import { EVENT_IDS, loadScript, STREAM_FACTS } from '../place/scripts.ts';

const here = (name: string) => new URL(name, import.meta.url);

/** `leastCount(first, last)`: how many events a stretch has at the least. */
const LEAST_COUNT = here('least-count.lua');

export const ENTRIES_SCRIPT = loadScript(here('entries.lua'), 1, STREAM_FACTS, LEAST_COUNT);
export const EVENTS_SCRIPT = loadScript(
  here('events.lua'),
  '1…',
  ...[EVENT_IDS, STREAM_FACTS, LEAST_COUNT],
);
export const MARKED_SCRIPT = loadScript(here('marked.lua'), 2, STREAM_FACTS);
export const ABOVE_SCRIPT = loadScript(here('above.lua'), '1…');
export const INDEX_SCRIPT = loadScript(here('index.lua'), 2, STREAM_FACTS);
export const STRETCHES_SCRIPT = loadScript(here('stretches.lua'), 1, STREAM_FACTS);
export const MARKS_SCRIPT = loadScript(here('marks.lua'), 1);
