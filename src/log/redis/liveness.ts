/**
 * Finds out that a connection is dead although nobody has said so, and breaks it, so that what is
 * under way fails and ioredis connects again.
 *
 *   connect ── no byte for `connectTimeout`, and not `ready` ──► broken
 *   ready ──► PING ── no byte for `pingInterval` ──► broken
 *              ▲   └── any byte ──┐
 *              └──────────────────┘
 */
import type { Redis } from 'ioredis';

/** How long a connection may be silent, in milliseconds. */
export interface Patience {
  /** How long it may take to open it, and then to hear the first bytes of the server. */
  readonly connectTimeout: number;
  /** How often an open one is asked for an answer, and how long that may take. */
  readonly pingInterval: number;
}

/** Watches a connection until it is closed for good, and every connection that takes its place. */
export function watchLiveness(redis: Redis, { connectTimeout, pingInterval }: Patience): void {
  let timer: NodeJS.Timeout | undefined;
  let bytesSeen = 0;
  let hasAsked = false;

  function lookAfter(milliseconds: number): void {
    clearTimeout(timer);
    const { stream } = redis;
    timer = setTimeout(() => {
      // After a pause of our own, the answer may be there already, to be read in this very turn.
      setImmediate(() => {
        if (stream === redis.stream) look(milliseconds);
      });
    }, milliseconds);
    timer.unref();
  }

  function look(waited: number): void {
    const { status, stream } = redis;
    if (status !== 'connect' && status !== 'ready') return;
    const isSilent = stream.bytesRead === bytesSeen;
    bytesSeen = stream.bytesRead;
    if (isSilent && (status === 'connect' || hasAsked)) {
      stream.destroy(new Error(`Redis did not answer for ${waited} ms`));
      return;
    }
    if (status === 'connect') {
      lookAfter(connectTimeout);
      return;
    }
    hasAsked = true;
    redis.ping().catch(() => {});
    lookAfter(pingInterval);
  }

  redis.on('connect', () => {
    hasAsked = false;
    bytesSeen = redis.stream.bytesRead;
    lookAfter(connectTimeout);
  });
  redis.on('ready', () => lookAfter(pingInterval));
  redis.on('close', () => clearTimeout(timer));
}
