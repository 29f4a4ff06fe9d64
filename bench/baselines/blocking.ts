/**
 * The alternative that the article weighs first: a Redis connection for each socket, on which an
 * `XREAD BLOCK` always waits for the account's next events.
 */
import { Redis } from 'ioredis';
import {
  type Entry,
  PAGE_SIZE,
  sendEvents,
  sendLive,
  serveBaseline,
  streamKey,
} from './gateway.ts';

const BLOCK_MS = 60_000;

serveBaseline((endpoint, shared) => async (socket, log, start) => {
  const key = streamKey(log);
  const redis = new Redis(endpoint, { maxRetriesPerRequest: null, enableReadyCheck: false });
  // Closing the connection is how a blocked read ends; that it then fails is no news.
  redis.on('error', () => {});
  socket.on('close', () => redis.disconnect());
  let cursor = start;

  const deliver = (entries: Entry[]) => {
    if (entries.length === 0) return;
    sendEvents(socket, log, entries);
    cursor = entries.at(-1)![0];
  };
  const caughtUp = async () => {
    const reply = await shared.xread('COUNT', PAGE_SIZE, 'STREAMS', key, cursor);
    const entries = (reply?.[0]?.[1] ?? []) as Entry[];
    deliver(entries);
    return entries.length < PAGE_SIZE;
  };
  while (!(await caughtUp())) if (socket.readyState !== socket.OPEN) return;
  await redis.ping();
  sendLive(socket, log, cursor);

  while (socket.readyState === socket.OPEN) {
    try {
      const reply = await redis.xread(
        'COUNT',
        PAGE_SIZE,
        'BLOCK',
        BLOCK_MS,
        'STREAMS',
        key,
        cursor,
      );
      deliver((reply?.[0]?.[1] ?? []) as Entry[]);
    } catch {
      if (redis.status === 'end') return;
    }
  }
});
