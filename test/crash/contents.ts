/** What a log holds in the end, asked for past the delivery that is being tested. */
import { Redis } from 'ioredis';
import { parseEventId } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { readPage } from '../../src/protocol/page.ts';
import type { SeenEvent } from '../support/history.ts';
import { seen, tagOf } from '../support/wire.ts';

/** Straight from the stream, past everything of ours. */
export async function redisContents(url: string, log: LogName): Promise<SeenEvent[]> {
  const redis = new Redis(url);
  try {
    const entries = await redis.xrange(`${log}:log`, '-', '+');
    return entries.map(([id, fields]) => {
      const payload = fields[fields.indexOf('payload') + 1] ?? '';
      return { id: parseEventId(id), tag: tagOf(payload) };
    });
  } finally {
    redis.disconnect();
  }
}

/** Page by page over HTTP. */
export async function httpContents(gateway: string, log: LogName): Promise<SeenEvent[]> {
  const all: SeenEvent[] = [];
  for (;;) {
    const after = all.at(-1)?.id ?? '0-0';
    const response = await fetch(`${gateway}logs/${log}/events?after=${after}&limit=1000`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${log}: ${response.status} ${text}`);
    const page = readPage(text);
    all.push(...page.events.map(seen));
    if (!page.more) return all;
  }
}
