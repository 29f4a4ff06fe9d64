/**
 * Events that are on their way to slow clients in pieces. Nobody keeps one while it waits for its
 * client: it is asked for here again. The last ones are still here, those of many clients but once;
 * others are read from the log, within the budget of all reads.
 */
import { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { type EventId, predecessorOf } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Live } from '../live/live.ts';
import { weightOf } from '../live/weight.ts';
import type { LoopTurns } from './limits/loop-turns.ts';

/** How long a store that is away is left alone, in milliseconds. */
const TRY_AGAIN = 500;

export class LargeEvents {
  /** Pieces are written in these. */
  readonly turns: LoopTurns;
  readonly #live: Pick<Live, 'read'>;
  readonly #most: number;
  /** The one that was asked for last comes last. */
  readonly #kept = new Map<string, StoredEvent>();
  readonly #reading = new Map<string, Promise<StoredEvent | undefined>>();
  #bytes = 0;

  /** @param most how many bytes of events are kept; the last one always is */
  constructor(live: Pick<Live, 'read'>, most: number, turns: LoopTurns) {
    this.turns = turns;
    this.#live = live;
    this.#most = most;
  }

  /** It will be asked for again. */
  keep(log: LogName, event: StoredEvent): void {
    const key = `${log} ${event.id}`;
    if (!this.#kept.delete(key)) this.#bytes += weightOf([event]);
    this.#kept.set(key, event);
    for (const [oldest, large] of this.#kept) {
      if (this.#bytes <= this.#most || oldest === key) return;
      this.#kept.delete(oldest);
      this.#bytes -= weightOf([large]);
    }
  }

  /** The event, if it is still kept. */
  kept(log: LogName, id: EventId): StoredEvent | undefined {
    const kept = this.#kept.get(`${log} ${id}`);
    if (kept !== undefined) this.keep(log, kept);
    return kept;
  }

  /**
   * The event; `undefined` when the log has it no more. Waits for a store that is away.
   * @param isWanted whether it is worth trying again
   * @throws what reading throws otherwise
   */
  async get(log: LogName, id: EventId, isWanted: () => boolean): Promise<StoredEvent | undefined> {
    for (;;) {
      const kept = this.kept(log, id);
      if (kept !== undefined) return kept;
      try {
        return await this.#readTogether(log, id);
      } catch (error) {
        // Each waits for itself: the one who asked first may be gone, and the others are not.
        const passes = error instanceof MillraceError && error.code === 'unavailable';
        if (!passes || !isWanted()) throw error;
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
      }
    }
  }

  /** One read for all who ask for the event meanwhile. */
  #readTogether(log: LogName, id: EventId): Promise<StoredEvent | undefined> {
    const key = `${log} ${id}`;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(log, id).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  async #read(log: LogName, id: EventId): Promise<StoredEvent | undefined> {
    const after = predecessorOf(id);
    const { events } = await this.#live.read(log, { after, unchecked: true, limit: 1 });
    const [event] = events;
    if (event?.id !== id) return undefined;
    this.keep(log, event);
    return event;
  }
}
