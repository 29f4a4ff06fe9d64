/** A read model from all events, by Emmett with its SQLite store. */
import { join } from 'node:path';
import { type Account, deposited, INITIAL } from '../event-sourcing/bank.ts';
import { sumOf } from '../event-sourcing/millrace-rebuild.ts';
import type { RebuildWay } from '../event-sourcing/rebuild-way.ts';
import { stopwatch } from '../event-sourcing/stopwatch.ts';
import { loadEmmett, type RecordedEmmettEvent } from './emmett.ts';

const EVENTS_AN_APPEND = 100;
/**
 * Its default is 100 events and then 50 ms of rest, which would allow 2,000 events/s. Larger batches
 * and no rest are the fastest that its options give.
 */
const PULLING = { batchSize: 10_000, pullingFrequencyInMs: 0 };

/** A consumer with a projection into a table of the same SQLite file; a transaction a batch. */
export async function emmettConsumer(folder: string): Promise<RebuildWay> {
  const { getSQLiteEventStore, sqliteConnection } = loadEmmett();
  const fileName = join(folder, 'emmett.db');
  return {
    fill: (events, logs, until) => fill(fileName, events, logs, until),
    rebuild: async (events, attempt) => {
      const table = `balances_${attempt}`;
      const connection = sqliteConnection({ fileName });
      await connection.command(
        `CREATE TABLE ${table} (account TEXT PRIMARY KEY, balance INTEGER NOT NULL)`,
      );
      let seen = 0;
      const consumer = getSQLiteEventStore({ fileName }).consumer({ pulling: PULLING });
      consumer.processor({
        projection: {
          name: table,
          canHandle: ['Deposited'],
          handle: async (deposits, context) => {
            for (const { data, metadata } of deposits) {
              await context.connection.command(
                `INSERT INTO ${table} (account, balance) VALUES (?, ?)
                 ON CONFLICT (account) DO UPDATE SET balance = balance + excluded.balance`,
                [metadata.streamName, data.amount],
              );
            }
          },
        },
        stopAfter: () => ++seen === events,
      });
      const stop = stopwatch();
      await consumer.start();
      const spent = stop();
      await consumer.close();
      const [sum] = await connection.query<{ total: number }>(
        `SELECT sum(balance) AS total FROM ${table}`,
      );
      connection.close();
      return { ...spent, total: sum?.total ?? 0 };
    },
    close: async () => {},
  };
}

/** `readMessagesBatch` to the end, and the balances kept in memory only: what a rebuild cannot beat. */
export async function emmettBatches(folder: string): Promise<RebuildWay> {
  const { readMessagesBatch, sqliteConnection } = loadEmmett();
  const fileName = join(folder, 'emmett.db');
  return {
    fill: (events, logs, until) => fill(fileName, events, logs, until),
    rebuild: async () => {
      const connection = sqliteConnection({ fileName });
      const balances = new Map<string, Account>();
      const count = ({ data, metadata }: RecordedEmmettEvent) => {
        const { streamName } = metadata;
        balances.set(streamName, deposited(balances.get(streamName) ?? INITIAL, data));
      };
      const stop = stopwatch();
      const { batchSize } = PULLING;
      let page = await readMessagesBatch(connection, { after: 0n, batchSize });
      for (;;) {
        page.messages.forEach(count);
        if (!page.areEventsLeft) break;
        page = await readMessagesBatch(connection, {
          after: page.currentGlobalPosition,
          batchSize,
        });
      }
      const spent = stop();
      connection.close();
      return { ...spent, total: sumOf(balances.values()) };
    },
    close: async () => {},
  };
}

/** In appends of 100 to one stream, one after the other: it has no faster way, and reads them alike. */
async function fill(fileName: string, events: number, logs: number, until: number) {
  const { getSQLiteEventStore } = loadEmmett();
  const store = getSQLiteEventStore({ fileName });
  const deposits = Array.from({ length: EVENTS_AN_APPEND }, () => {
    return { type: 'Deposited', data: { amount: 1 } };
  });
  let appended = 0;
  for (let turn = 0; appended < events && performance.now() < until; turn++) {
    await store.appendToStream(`account:${turn % logs}`, deposits);
    appended += EVENTS_AN_APPEND;
  }
  return appended;
}
