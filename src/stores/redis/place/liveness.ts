/**
 * Finds out that a connection is dead although nobody has said so, and breaks it, so that what is
 * under way fails and ioredis connects again. The one rule for all connections, those that wait in
 * a blocking command too: such a command ends well within `pingInterval`.
 *
 *   connecting ──► connect ──► ready ──► PING ── no byte for `pingInterval` ──► broken
 *   └── no first answer within ──┘        ▲   └── any byte ──┐
 *       `connectTimeout` ──► broken       └──────────────────┘
 *
 * So of an open connection the last byte is at most two `pingInterval` old, and at least one, when it
 * is broken. To open one takes a name to be looked up, TCP, TLS, logging in and a first answer: all
 * of it together has `connectTimeout`. From then on a server that loads its data answers that it
 * does, and each answer gives it as long again.
 */
import type { Redis } from 'ioredis';
import type { Patience } from './connection-options.ts';

/** Watches a connection until it is closed for good, and every connection that takes its place. */
export function watchLiveness(redis: Redis, { connectTimeout, pingInterval }: Patience): void {
  let timer: NodeJS.Timeout | undefined;
  /** Counts connections, so that a late look at one does not hit the next. */
  let attempt = 0;
  let bytesSeen = 0;
  let hasAsked = false;

  function lookAfter(milliseconds: number): void {
    clearTimeout(timer);
    const current = attempt;
    timer = setTimeout(() => {
      // After a pause of our own, the answer may be there already, to be read in this very turn.
      setImmediate(() => {
        if (current === attempt) look(milliseconds);
      });
    }, milliseconds);
    timer.unref();
  }

  function look(waited: number): void {
    const { status, stream } = redis;
    if (status === 'connecting') {
      stream?.destroy(new Error(`Redis could not be reached within ${waited} ms`));
      return;
    }
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

  redis.on('connecting', () => {
    attempt += 1;
    lookAfter(connectTimeout);
  });
  redis.on('connect', () => {
    hasAsked = false;
    // What came while TLS was set up is no answer of Redis.
    bytesSeen = redis.stream.bytesRead;
  });
  redis.on('ready', () => lookAfter(pingInterval));
  redis.on('close', () => {
    attempt += 1;
    clearTimeout(timer);
  });
}

/**
 * Begins to listen on a connection that others use too. What it answers is for whoever has waited
 * in vain for long enough: it breaks the connection, where nothing at all has come over it since.
 */
export function cutIfSilent(redis: Redis): () => void {
  const { stream } = redis;
  const heard = stream?.bytesRead;
  return () => {
    if (redis.stream === stream && stream?.bytesRead === heard) redis.disconnect(true);
  };
}
