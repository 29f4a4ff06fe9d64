/**
 * What an application may say of its connections to Redis. Apart from connection.ts, because users'
 * declarations lead here, and may need no types of ioredis.
 */

/** All times in milliseconds; every connection goes by them. */
export interface ConnectionOptions {
  /**
   * How often each connection is asked whether it is alive, and how long it may take to answer
   * before it counts as dead and whatever is under way on it fails. Default 5,000: a connection is
   * given up when nothing has come over it for 5 to 10 seconds.
   */
  readonly pingInterval?: number | undefined;
  /**
   * How long it may take to open a connection, up to the first answer of Redis: its name, TCP, TLS
   * and logging in all together. Default 5,000.
   */
  readonly connectTimeout?: number | undefined;
  /**
   * How long to wait, when the store is opened, for a Redis that still loads its data. Default
   * 300,000. A store that is open waits for as long as that takes.
   */
  readonly loadingWait?: number | undefined;
}

/** How long a connection may be silent: {@link ConnectionOptions} with their defaults. */
export interface Patience {
  readonly connectTimeout: number;
  readonly pingInterval: number;
}

export function patienceOf(options: ConnectionOptions): Patience {
  const { connectTimeout = 5_000, pingInterval = 5_000 } = options;
  return { connectTimeout, pingInterval };
}

/**
 * For how many milliseconds a command may block: shorter than a silent connection is taken for
 * alive, since the answer to a ping waits behind it.
 */
export function longestBlock(options: ConnectionOptions): number {
  return Math.max(1, Math.floor(patienceOf(options).pingInterval / 2));
}
