/** What a store keeps of a log for a group, and how a settlement changes it. */
import type { EventId } from '../event/event-id.ts';
import type { Attempt, Redrive, Settlement } from './work-queues.ts';

/** What is kept of a log; nothing of a log that was never settled. */
export interface KeptLog {
  readonly cursor?: EventId | undefined;
  /** The cursor is a place in time. */
  readonly unchecked?: boolean | undefined;
  readonly attempt?: Attempt | undefined;
  /** When a delay is over, in milliseconds since 1970. */
  readonly due?: number | undefined;
  readonly held?: boolean | undefined;
  readonly redrives?: readonly Redrive[] | undefined;
}

/** @returns `kept` itself if nothing changes */
export function keptAfter(kept: KeptLog, settlement: Settlement, due: number | undefined): KeptLog {
  const { cursor, attempt, redrive, next } = settlement;
  const held = next === 'hold' || undefined;
  const isSame = cursor === undefined && attempt === undefined && redrive === undefined;
  if (isSame && due === kept.due && held === kept.held) return kept;
  const moved = cursor !== undefined;
  return {
    cursor: cursor ?? kept.cursor,
    unchecked: moved ? undefined : kept.unchecked,
    attempt: attempt ?? (moved ? undefined : kept.attempt),
    redrives: redrivesAfter(kept.redrives, redrive),
    due,
    held,
  };
}

function redrivesAfter(
  redrives: readonly Redrive[] | undefined,
  change: Settlement['redrive'],
): readonly Redrive[] | undefined {
  if (change === undefined || redrives === undefined) return redrives;
  const { letter, attempts } = change;
  const rest = redrives.flatMap((redrive) => {
    if (redrive.letter !== letter) return [redrive];
    return attempts === null ? [] : [{ ...redrive, attempts }];
  });
  return rest.length === 0 ? undefined : rest;
}
