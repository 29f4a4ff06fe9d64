/** The smallest reader that uses a follower as it is meant: told events that fit are taken, all else is read. */
import type { StoredEvent } from '../../../event/event.ts';
import { type EventId, isAfter, ZERO_ID } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { Standing } from '../../../event/standing.ts';
import type { EventLog, Follower } from '../../../log/log.ts';

export class FollowingReader implements Follower {
  readonly received: StoredEvent[] = [];
  /** What it was told about its cursor, other than that all is well. */
  readonly standings: Standing[] = [];
  /** The first read that failed. */
  failure: unknown;
  readonly #eventLog: EventLog;
  readonly #log: LogName;
  #position: EventId = ZERO_ID;
  #reading = false;
  #again = false;

  constructor(eventLog: EventLog, log: LogName) {
    this.#eventLog = eventLog;
    this.#log = log;
  }

  events(previous: EventId, events: readonly StoredEvent[]): void {
    if (previous === this.#position && !this.#reading) this.#take(events);
    else if (isAfter(events.at(-1)!.id, this.#position)) this.wake();
  }

  wake(): void {
    this.#again = true;
    if (!this.#reading) void this.#read();
  }

  position(): EventId {
    return this.#position;
  }

  #take(events: readonly StoredEvent[]): void {
    this.received.push(...events);
    this.#position = events.at(-1)?.id ?? this.#position;
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#again) {
        this.#again = false;
        const page = await this.#eventLog.read(this.#log, { after: this.#position });
        if (page.standing.state !== 'whole') this.standings.push(page.standing);
        if (page.standing.state === 'reset') this.#position = ZERO_ID;
        this.#take(page.events);
        if (page.more) this.#again = true;
      }
    } catch (error) {
      this.failure ??= error;
    } finally {
      this.#reading = false;
    }
  }
}
