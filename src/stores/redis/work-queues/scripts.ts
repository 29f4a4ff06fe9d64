/** The scripts of work queues. */
import { CLOCK, EVENT_IDS, loadScript } from '../place/scripts.ts';

const here = (name: string) => new URL(name, import.meta.url);

/** `queue(logs, queued, log)`: puts a log at the end of what waits. */
const QUEUE = here('queue.lua');

export const JOIN_SCRIPT = loadScript(here('join.lua'), 3, CLOCK);
export const LOOK_SCRIPT = loadScript(here('look.lua'), 6, CLOCK, QUEUE);
export const NOTE_SCRIPT = loadScript(here('note.lua'), 5, EVENT_IDS, QUEUE);
export const TAKE_SCRIPT = loadScript(here('take.lua'), 6);
export const SETTLE_SCRIPT = loadScript(here('settle.lua'), 7, CLOCK, EVENT_IDS, QUEUE);
export const LEAVE_SCRIPT = loadScript(here('leave.lua'), 2, QUEUE);
export const MEND_SCRIPT = loadScript(here('mend.lua'), 7, CLOCK, EVENT_IDS, QUEUE);
export const LAG_SCRIPT = loadScript(here('lag.lua'), 4);
export const REDRIVE_SCRIPT = loadScript(here('redrive.lua'), 6, QUEUE);
