/**
 * The ways to append that are compared. Each answers what one of its callers waits for: a promise
 * per event, or per batch where the caller itself has to batch.
 *
 * All store the same event. Millrace's also index it for the feed and publish it to whoever
 * follows the log; the plain ones do neither.
 */
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import type { LogName } from '../../src/event/log-name.ts';
import type { EventLog } from '../../src/log/log.ts';
import { loadEmbeddedLog, loadRedisLog } from '../library.ts';

export interface Appender {
  /** Events that one call of `append` adds. */
  readonly batch: number;
  /** Resolves when the events are acknowledged. */
  append(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** @param target the Redis endpoint, or the folder for an embedded store */
export type OpenAppender = (target: string) => Promise<Appender>;

const LOGS = 1_000;
const PIPELINE = 250;
const TYPE = 'SOME_EVENT';
const PAYLOAD = 'Some payload for account(2) from account(1)';

const accounts = Array.from({ length: LOGS }, (_, index) => `account:${index}` as LogName);
let turn = 0;
const nextAccount = () => accounts[turn++ % LOGS]!;
const xadd = () => [`${nextAccount()}:log`, '*', 'type', TYPE, 'payload', PAYLOAD] as const;

export const APPENDERS = {
  /** `RedisLog.append`, one event a call. */
  'millrace on Redis': async (endpoint) => {
    const RedisLog = await loadRedisLog();
    return oneByOne(await RedisLog.open(endpoint));
  },
  /** As the client library does it by itself: a write and a promise for each command. */
  'XADD, awaited': async (endpoint) => plain(new Redis(endpoint)),
  /** The client library gathers the commands of one turn of the event loop. */
  'XADD, autopipelining': async (endpoint) =>
    plain(new Redis(endpoint, { enableAutoPipelining: true })),
  /** The caller gathers them itself, and has one promise for all. */
  'XADD, explicit pipelines of 250': async (endpoint) => {
    const redis = new Redis(endpoint);
    return {
      batch: PIPELINE,
      append: () => {
        const pipeline = redis.pipeline();
        for (let i = 0; i < PIPELINE; i++) pipeline.xadd(...xadd());
        return pipeline.exec();
      },
      close: () => redis.quit(),
    };
  },
  /** What it takes, without a script, to also tell others of the event. */
  'XADD and PUBLISH, explicit pipelines of 250': async (endpoint) => {
    const redis = new Redis(endpoint);
    return {
      batch: PIPELINE,
      append: () => {
        const pipeline = redis.pipeline();
        for (let i = 0; i < PIPELINE; i++) {
          const command = xadd();
          pipeline.xadd(...command).publish(command[0], PAYLOAD);
        }
        return pipeline.exec();
      },
      close: () => redis.quit(),
    };
  },
  /** `EmbeddedLog.append`, one event a call, acknowledged when flushed. */
  'millrace embedded': async (folder) => {
    const EmbeddedLog = await loadEmbeddedLog();
    return oneByOne(await EmbeddedLog.open(folder));
  },
  /** LMDB's own batching of concurrent transactions, and then its word that they are flushed. */
  'raw LMDB, asynchronous transactions': async (folder) => {
    const database = open({ path: folder });
    let sequence = 0;
    return {
      batch: 1,
      append: async () => {
        const key = [nextAccount(), ++sequence];
        await database.transaction(() => {
          void database.put(key, { type: TYPE, payload: PAYLOAD });
        });
        await database.flushed;
      },
      close: () => database.close(),
    };
  },
  /** A commit, and a flush to disk, for each event. */
  'raw LMDB, a transaction per event': async (folder) => {
    const database = open({ path: folder, overlappingSync: false });
    let sequence = 0;
    return {
      batch: 1,
      append: async () => {
        const key = [nextAccount(), ++sequence];
        database.transactionSync(() => database.put(key, { type: TYPE, payload: PAYLOAD }));
      },
      close: () => database.close(),
    };
  },
} satisfies Record<string, OpenAppender>;

export type AppenderName = keyof typeof APPENDERS;

function oneByOne(log: EventLog): Appender {
  const events = [{ type: TYPE, payload: PAYLOAD }];
  return {
    batch: 1,
    append: () => log.append(nextAccount(), events),
    close: () => log.close(),
  };
}

function plain(redis: Redis): Appender {
  return { batch: 1, append: () => redis.xadd(...xadd()), close: () => redis.quit() };
}
