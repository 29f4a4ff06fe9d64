/** What a group is told: one place decides it, for every store. */
import type { LogName } from '../event/log-name.ts';
import type { Stretch } from '../feed/feed.ts';
import { isWanted } from './rules.ts';

/**
 * The logs that a group is to be told of, each once, in the order in which the feed does: of which
 * of its events first, and up to which.
 */
export function newsOf(stretches: readonly Stretch[], category: string): readonly Stretch[] {
  const told = new Map<LogName, Stretch>();
  for (const stretch of stretches) {
    const { log, last } = stretch;
    if (!isWanted(log, category)) continue;
    const before = told.get(log);
    told.set(log, before === undefined ? stretch : { ...before, last });
  }
  return [...told.values()];
}
