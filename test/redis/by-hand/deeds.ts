/** Does to a key what a row says. */
import type { Redis } from 'ioredis';
import type { EventId } from '../../../src/event/event-id.ts';
import { eventually } from '../../support/eventually.ts';
import type { Deed } from './rows.ts';

export const LAST_ID = '18446744073709551615-18446744073709551615' as EventId;

/** Where RENAME puts a key, and {@link keep} a copy. */
export const asideOf = (key: string) => `aside ${key}`;
export const copyOf = (key: string) => `copy of ${key}`;

/** Keeps a copy, to be put back. */
export async function keep(redis: Redis, key: string): Promise<void> {
  await redis.copy(key, copyOf(key), 'REPLACE');
}

/** @param dump an old one, for RESTORE */
export async function doByHand(
  redis: Redis,
  deed: Deed,
  key: string,
  dump: Buffer | null,
): Promise<void> {
  switch (deed) {
    case 'DEL':
      await redis.del(key);
      return;
    case 'EXPIRE':
      await redis.pexpire(key, 1);
      // A lease may be there again, with another time to live.
      await eventually(async () => (await redis.pttl(key)) < 0 || (await redis.pttl(key)) > 1);
      return;
    case 'RENAME':
      if ((await redis.exists(key)) === 1) await redis.rename(key, asideOf(key));
      return;
    case 'RESTORE':
      if (dump === null) throw new Error(`there is no old dump of ${key}`);
      await redis.restore(key, 0, dump, 'REPLACE');
      return;
    case 'SET':
      await redis.set(key, 'something else');
      return;
    case 'XDEL': {
      const entries = await redis.xrange(key, '-', '+');
      await redis.xdel(key, ...entries.map(([id]) => id));
      return;
    }
    case 'XTRIM':
      await redis.xtrim(key, 'MAXLEN', 0);
      return;
    case 'XSETID':
      await redis.call('XSETID', key, LAST_ID);
      return;
    case 'XGROUP DESTROY':
      await redis.xgroup('DESTROY', key, 'workers');
      return;
    case 'XGROUP DELCONSUMER': {
      const consumers = (await redis.xinfo('CONSUMERS', key, 'workers')) as unknown[][];
      for (const facts of consumers) {
        const name = String(facts[facts.indexOf('name') + 1]);
        await redis.xgroup('DELCONSUMER', key, 'workers', name);
      }
      return;
    }
    case 'XGROUP SETID':
      await redis.xgroup('SETID', key, 'workers', '$');
  }
}
