/**
 * The article's own design: each socket has a loop that asks for its account's new events, waits
 * a second and asks again, all over one shared connection.
 *
 * In its favour, a replay here goes by pages and without a wait between full ones; the article
 * reads the whole log with one command.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Entry,
  PAGE_SIZE,
  sendEvents,
  sendLive,
  serveBaseline,
  streamKey,
} from './gateway.ts';

const POLL_INTERVAL_MS = 1_000;

serveBaseline((_endpoint, redis) => async (socket, log, start) => {
  const key = streamKey(log);
  let cursor = start;
  let live = false;
  while (socket.readyState === socket.OPEN) {
    const reply = await redis.xread('COUNT', PAGE_SIZE, 'STREAMS', key, cursor);
    const entries = (reply?.[0]?.[1] ?? []) as Entry[];
    if (entries.length > 0) {
      sendEvents(socket, log, entries);
      cursor = entries.at(-1)![0];
    }
    if (entries.length === PAGE_SIZE) continue;
    if (!live) sendLive(socket, log, cursor);
    live = true;
    await sleep(POLL_INTERVAL_MS);
  }
});
