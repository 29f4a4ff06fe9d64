/** What becomes of the connection to Redis, told once for every change. */

/**
 * `loading`: while it is opened, Redis loads its data, and is waited for. Afterwards: `lost`: it
 * cannot be reached. `refused`: it can, and does not let us do what is needed. `restored`: all is
 * well again. Whatever went wrong is tried again until then.
 */
export type ConnectionState = 'loading' | 'lost' | 'refused' | 'restored';

/** Told of a change, with the reason, or the progress, where one is known; must not throw. */
export type OnConnection = (state: ConnectionState, reason?: string) => void;

/** Whose trouble it is: that of the connection for commands, of the one that listens, or of the one that waits for the feed. */
type Source = 'commands' | 'publications' | 'feed';

export class ConnectionReport {
  readonly #tell: OnConnection;
  readonly #troubles = new Map<Source, 'lost' | 'refused'>();

  constructor(tell: OnConnection) {
    this.#tell = tell;
  }

  trouble(source: Source, state: 'lost' | 'refused', reason: string | undefined): void {
    const known = this.#troubles.get(source);
    // A server that refuses us may close the connection each time.
    if (known === state || known === 'refused') return;
    this.#troubles.set(source, state);
    this.#tell(state, reason);
  }

  fine(source: Source): void {
    if (this.#troubles.delete(source) && this.#troubles.size === 0) this.#tell('restored');
  }
}
