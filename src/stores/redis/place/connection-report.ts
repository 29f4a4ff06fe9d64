/** What becomes of the connection to Redis, told once for every change. */
import type { Observer } from '../../../metrics/observer.ts';

/** By whom it is told. */
export const REDIS = 'Redis';

/** Whose trouble it is: that of the connection for commands, of the one that listens, or of the one that waits for the feed. */
type Source = 'commands' | 'publications' | 'feed';

/** Whatever went wrong is tried again until all is well. */
export class ConnectionReport {
  readonly #observer: Observer;
  readonly #troubles = new Map<Source, 'lost' | 'refused'>();

  constructor(observer: Observer) {
    this.#observer = observer;
    observer.gauge('store_connected', 1);
  }

  trouble(source: Source, state: 'lost' | 'refused', reason: string | undefined): void {
    const known = this.#troubles.get(source);
    // A server that refuses us may close the connection each time.
    if (known === state || known === 'refused') return;
    this.#troubles.set(source, state);
    this.#observer.gauge('store_connected', 0);
    this.#observer.notice({ what: 'connection', by: REDIS, state, reason });
  }

  fine(source: Source): void {
    if (!this.#troubles.delete(source) || this.#troubles.size > 0) return;
    this.#observer.gauge('store_connected', 1);
    this.#observer.notice({ what: 'connection', by: REDIS, state: 'restored' });
  }
}
