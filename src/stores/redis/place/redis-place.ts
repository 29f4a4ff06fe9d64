/**
 * Where a store is in Redis: one set of connections for all that is kept there. Nobody else knows
 * the address, opens a connection, or looks at what kind of server is behind it.
 *
 *   commands       all that does not wait, of everybody who uses the place
 *   listening      hears publications, and nothing else: Redis cuts who takes these too slowly,
 *                  which must not cost the commands; where a log asks for it
 *   waiting        in a command that blocks, one each: whatever comes after that waits as well, so
 *                  that two which wait for different things would delay each other
 *
 * Opened once and looked at once: what the server is, which database, and what its user may do, for
 * all contracts together. What shares the commands must not end them for others: see
 * timed-commands.ts.
 */
import type { Redis } from 'ioredis';
import { type Observer, SILENT } from '../../../metrics/observer.ts';
import { createConnection, reconnectDelay } from './connection.ts';
import { type ConnectionOptions, type Patience, patienceOf } from './connection-options.ts';
import { ConnectionReport, REDIS } from './connection-report.ts';
import { openConnection } from './opening.ts';
import type { Needs } from './rights.ts';
import { keepOnSameServer } from './same-server.ts';

export interface PlaceOptions extends ConnectionOptions {
  /** What the connection for commands is called in `CLIENT LIST`, after `millrace-`. Default `commands`. */
  readonly name?: string | undefined;
  /** Told what becomes of the connections. Default: nobody. */
  readonly observer?: Observer | undefined;
}

export class RedisPlace {
  /** For every command that does not block. Nobody but the place may end it. */
  readonly commands: Redis;
  /** The number of the database, which is part of the names of channels. */
  readonly database: number;
  readonly patience: Patience;
  readonly observer: Observer;
  readonly report: ConnectionReport;
  readonly #url: string;
  readonly #options: PlaceOptions;
  readonly #others = new Set<Redis>();
  #users = 0;

  private constructor(url: string, options: PlaceOptions, commands: Redis, observer: Observer) {
    this.#url = url;
    this.#options = options;
    this.commands = commands;
    this.database = databaseOf(commands);
    this.patience = patienceOf(options);
    this.observer = observer;
    this.report = new ConnectionReport(observer);
  }

  /**
   * Opens the place for what `make` makes on it, and closes it again when that fails.
   * @param url `redis://` or `rediss://` (TLS), with user, password and database number if needed
   * @param needs what its user must be allowed to do, in this database
   * @throws Unavailable when it cannot be reached; MillraceError `unsupported_store` when it is none
   *   that can keep a store, or does not let this user do what is needed
   */
  static async openFor<T>(
    url: string,
    options: PlaceOptions,
    needs: (database: number) => Needs,
    make: (place: RedisPlace) => T | Promise<T>,
  ): Promise<T> {
    const { name = 'commands', observer = SILENT, loadingWait } = options;
    const commands = createConnection(url, name, patienceOf(options));
    await openConnection(commands, needs(databaseOf(commands)), loadingWait, (progress) =>
      observer.notice({ what: 'connection', by: REDIS, state: 'loading', reason: progress }),
    );
    const place = new RedisPlace(url, options, commands, observer);
    try {
      return await make(place);
    } catch (error) {
      place.#close();
      throw error;
    }
  }

  /** One more user. What it answers ends that use, once; the last one closes all connections. */
  use(): () => void {
    this.#users += 1;
    let isUsed = true;
    return () => {
      if (!isUsed) return;
      isUsed = false;
      this.#users -= 1;
      if (this.#users === 0) this.#close();
    };
  }

  /** Opens a connection that listens, on the server that the commands go to. Whoever asked for it ends it. */
  async listen(): Promise<Redis> {
    const connection = await this.#open('publications');
    keepOnSameServer(this.commands, connection);
    return connection;
  }

  /** Opens a connection for commands that block. Whoever asked for it ends it. */
  wait(name: string): Promise<Redis> {
    return this.#open(name);
  }

  /**
   * The same, to be opened only when there is something to wait for, as often as one likes; it opens
   * again by itself, on the server that the commands go to.
   */
  waitLater(name: string): Redis {
    const connection = this.#create(name);
    connection.options.retryStrategy = reconnectDelay;
    keepOnSameServer(this.commands, connection);
    return connection;
  }

  async #open(name: string): Promise<Redis> {
    const connection = this.#create(name);
    connection.once('end', () => this.#others.delete(connection));
    await openConnection(connection, undefined, this.#options.loadingWait);
    return connection;
  }

  #create(name: string): Redis {
    const connection = createConnection(this.#url, name, this.patience);
    this.#others.add(connection);
    return connection;
  }

  #close(): void {
    for (const connection of [this.commands, ...this.#others]) {
      if (connection.status !== 'end') connection.disconnect();
    }
  }
}

function databaseOf({ options }: Redis): number {
  return options.db ?? 0;
}
