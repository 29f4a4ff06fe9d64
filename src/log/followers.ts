/** Who follows which log, and telling them in order. */
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Follower } from './log.ts';

export class Followers {
  readonly #byLog = new Map<LogName, Set<Follower>>();
  readonly #untold: (() => void)[] = [];
  #telling = false;

  /** @returns what ends it */
  add(log: LogName, follower: Follower): () => void {
    // Of its own, so that one follower may follow twice and end each by itself.
    const entry: Follower = {
      events: (previous, events) => follower.events(previous, events),
      wake: () => follower.wake(),
      position: () => follower.position(),
    };
    const followers = this.#byLog.get(log) ?? new Set();
    this.#byLog.set(log, followers.add(entry));
    return () => {
      followers.delete(entry);
      if (followers.size === 0 && this.#byLog.get(log) === followers) this.#byLog.delete(log);
    };
  }

  /** @param make the events; not called when nobody follows the log */
  tell(log: LogName, previous: EventId, make: () => readonly StoredEvent[]): void {
    const followers = this.#byLog.get(log);
    if (followers === undefined) return;
    const events = make();
    this.#inOrder(() => {
      for (const follower of followers) follower.events(previous, events);
    });
  }

  wakeAll(): void {
    this.#inOrder(() => {
      for (const followers of this.#byLog.values()) {
        for (const follower of followers) follower.wake();
      }
    });
  }

  /** Wakes all a last time: what they follow is over, as they learn when they look. */
  end(): void {
    this.wakeAll();
    this.#inOrder(() => this.clear());
  }

  clear(): void {
    for (const followers of this.#byLog.values()) followers.clear();
    this.#byLog.clear();
  }

  /** A follower may append while it is told; the others still hear of that append second. */
  #inOrder(telling: () => void): void {
    this.#untold.push(telling);
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) next();
    } finally {
      this.#telling = false;
    }
  }
}
