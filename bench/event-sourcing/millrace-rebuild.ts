/** A read model from all events, by us. */
import type { LogName } from '../../src/event/log-name.ts';
import { loadMillrace } from '../library.ts';
import { type Account, deposited, INITIAL } from './bank.ts';
import type { RebuildWay } from './rebuild-way.ts';
import { stopwatch } from './stopwatch.ts';

const APPENDS_IN_FLIGHT = 4_000;
const PAGE = { limit: 10_000, maxBytes: 8_388_608 };

/** `project`: rows in the store's own read models, committed together with the checkpoint. */
export async function millraceProject(target: string): Promise<RebuildWay> {
  const { millrace, bank, ...way } = await open(target);
  return {
    fill: way.fill,
    close: way.close,
    rebuild: async (_events, attempt) => {
      const stop = stopwatch();
      const balances = millrace.project(way.store, {
        name: `balances-${attempt}`,
        version: 1,
        events: bank,
        initial: () => INITIAL,
        on: { Deposited: (state: Account, event) => deposited(state, event.payload) },
      });
      await balances.caughtUp();
      const spent = stop();
      let total = 0;
      for await (const [, row] of balances.rows()) total += row.balance;
      await balances.stop();
      return { ...spent, total };
    },
  };
}

/** The feed read to its end, and the balances kept in memory only: what a rebuild cannot beat. */
export async function millraceFeed(target: string): Promise<RebuildWay> {
  const { store, bank, fill, close } = await open(target);
  return {
    fill,
    close,
    rebuild: async () => {
      const stop = stopwatch();
      const balances = new Map<string, Account>();
      let page = await store.log.feed(PAGE);
      for (;;) {
        for (const { log, events } of page.items) {
          for (const event of events) {
            const decoded = bank.decode(log, event);
            if (decoded === undefined) continue;
            balances.set(log, deposited(balances.get(log) ?? INITIAL, decoded.payload));
          }
        }
        if (!page.more) break;
        page = await store.log.feed({ ...PAGE, after: page.cursor });
      }
      const spent = stop();
      return { ...spent, total: sumOf(balances.values()) };
    },
  };
}

export function sumOf(accounts: Iterable<Account>): number {
  let total = 0;
  for (const { balance } of accounts) total += balance;
  return total;
}

async function open(target: string) {
  const millrace = await loadMillrace();
  const store = await millrace.openStore(target);
  const bank = millrace.defineEvents({ Deposited: millrace.type<{ amount: number }>() });
  return { millrace, store, bank, fill, close: () => store.close() };

  /** One event an append, as commands make them: so the feed gets an entry for each. */
  async function fill(events: number, logs: number, until: number): Promise<number> {
    const event = bank.encode(bank.create('Deposited', { amount: 1 }));
    let called = 0;
    let appended = 0;
    const caller = async () => {
      while (called < events && performance.now() < until) {
        await store.log.append(`account:${called++ % logs}` as LogName, [event]);
        appended++;
      }
    };
    await Promise.all(Array.from({ length: APPENDS_IN_FLIGHT }, caller));
    return appended;
  }
}
