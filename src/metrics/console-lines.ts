/** Notices as lines on the console, for where nobody asked to be told. */
import { MillraceError } from '../event/error.ts';
import { isA, kindAndPlace, textOf } from '../event/thrown.ts';
import type { Notice } from './notice.ts';

/** A store that is away is asked again many times a second, by all that run on it. */
const INTERVAL = 1_000;

/**
 * Writes a line for each notice, but of those of one kind by the same only one a second; the next
 * line then says how many there were.
 * @param clock in milliseconds, which never goes back; for tests
 */
export function consoleLines(clock = () => performance.now()): (notice: Notice) => void {
  const kinds = new Map<string, { at: number; untold: number }>();
  return (notice) => {
    const key = `${notice.what} ${notice.by} ${'state' in notice ? notice.state : ''}`;
    const now = clock();
    const kind = kinds.get(key);
    if (kind !== undefined && now - kind.at < INTERVAL) {
      kind.untold += 1;
      return;
    }
    const more = kind === undefined || kind.untold === 0 ? '' : ` (and ${kind.untold} more before)`;
    kinds.set(key, { at: now, untold: 0 });
    console.error(`millrace: ${lineOf(notice)}${more}`);
  };
}

/** A notice in words, with nothing of a payload. */
export function lineOf(notice: Notice): string {
  const { by } = notice;
  switch (notice.what) {
    case 'failed':
      return `${by} could not handle ${eventOf(notice)} (attempt ${notice.attempt}), and tries again in ${Math.ceil(notice.after)} ms: ${shownOf(notice.error)}`;
    case 'dead_letter':
      return `${by} has given up ${eventOf(notice)} as a dead letter (attempt ${notice.attempt}): ${shownOf(notice.error)}`;
    case 'passed_over':
      return `${by}: ${notice.error.message}`;
    case 'left_out':
    case 'ended':
      return notice.error.message;
    case 'skipped':
      return `${by} skips events of ${notice.log} after ${notice.after} (${notice.reason})`;
    case 'lease_lost':
      return `${by} was silent for too long, and has lost ${notice.log} to another`;
    case 'snapshot':
      return `${by} could not write a snapshot of ${notice.log}: ${shownOf(notice.error)}`;
    case 'store':
      return `${by} waits for the store: ${shownOf(notice.error)}`;
    case 'connection':
      return `${by} ${STATES[notice.state]}${notice.reason === undefined ? '' : ` (${notice.reason})`}`;
  }
}

const STATES = {
  loading: 'loads its data; waiting for it',
  lost: 'is lost; trying to reach it again',
  refused: 'refuses what is needed; asking again',
  restored: 'is back',
};

function eventOf({ log, id, type }: { log: string; id: string; type: string }): string {
  return `the event ${id} (${type}) in ${log}`;
}

/** Of what is not ours only the kind and the place: a message can have parts of a payload in it. */
function shownOf(error: unknown): string {
  return isA(error, MillraceError) ? textOf(error) : kindAndPlace(error);
}
