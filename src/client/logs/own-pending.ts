/**
 * One's own events that a log does not have yet. Their answer and they themselves come in any order:
 * an event is pending until it has come, or until the log is read beyond it.
 */
import type { NewEvent, StoredEvent } from '../../event/event.ts';
import { type EventId, isAfter } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Appends } from '../outbox/appends.ts';
import type { Entry } from '../outbox/entry.ts';

interface Own {
  readonly events: readonly NewEvent[];
  /** How many of them have come. */
  came: number;
  /** The log has them at or before this. */
  until?: EventId;
}

export class OwnPending {
  readonly close: () => void;
  readonly #entries = new Map<string, Own>();
  #cursor: EventId | undefined;

  /** @param changed not told from within calls of this */
  constructor(log: LogName, appends: Appends, changed: () => void) {
    const put = ({ key, events }: Entry) => {
      this.#entries.set(key, { events, came: this.#entries.get(key)?.came ?? 0 });
      changed();
    };
    for (const entry of appends.of(log)) {
      this.#entries.set(entry.key, { events: entry.events, came: 0 });
    }
    this.close = appends.watch(log, {
      added: put,
      changed: put,
      finished: ({ key }, outcome) => {
        const own = this.#entries.get(key);
        if (outcome.kind === 'refused') this.#entries.delete(key);
        else if (own !== undefined) {
          own.until = outcome.appended.ids.at(-1) ?? outcome.appended.version;
          this.readUpTo(this.#cursor);
        }
        changed();
      },
    });
  }

  came(events: readonly StoredEvent[]): void {
    if (this.#entries.size > 0) {
      for (const event of events) {
        // Of most events of others, this is all that is done.
        const mark = event.rawMeta?.includes('"client"') ? event.meta?.client : undefined;
        const own = this.#entries.get(String((mark as { readonly key?: unknown } | null)?.key));
        if (own !== undefined) own.came += 1;
      }
    }
    this.readUpTo(events.at(-1)?.id);
  }

  readUpTo(cursor: EventId | undefined): void {
    if (cursor === undefined) return;
    this.#cursor = cursor;
    for (const [key, { until }] of this.#entries) {
      if (until !== undefined && !isAfter(until, cursor)) this.#entries.delete(key);
    }
  }

  list(): NewEvent[] {
    return [...this.#entries.values()].flatMap(({ events, came }) => events.slice(came));
  }
}
