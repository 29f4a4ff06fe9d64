/** Redis as a store of the contract suite: one server for a file of tests, a random log for each. */
import { Redis } from 'ioredis';
import { DEFAULT_EVENT_LIMITS } from '../../../src/event/event.ts';
import type { EventId } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { RedisLog, type RedisLogOptions } from '../../../src/stores/redis/log/redis-log.ts';
import type {
  ForeignWriter,
  LogUnderTest,
  LossyLog,
  OpenOptions,
} from '../../../src/testing/contract/log/log-under-test.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Foreign events are looked for this often, in milliseconds, so that tests need not wait. */
const SWEEP_INTERVAL = 50;

export function keysOf(log: LogName): { stream: string; producers: string; meta: string } {
  const stream = `${log}:log`;
  return { stream, producers: `{${stream}}:producers`, meta: `{${stream}}:meta` };
}

export class RedisUnderTest implements LogUnderTest {
  readonly capabilities: LogUnderTest['capabilities'];
  readonly #server: RedisServer;
  readonly #proxy: TcpProxy;
  readonly #commands: Redis;

  private constructor(server: RedisServer, proxy: TcpProxy) {
    this.#server = server;
    this.#proxy = proxy;
    this.#commands = new Redis(server.url());
    const foreign = foreignWriter(this.#commands);
    this.capabilities = {
      shared: true,
      startAt: async (log, id) => {
        await foreign.add(log, ['type', 'Started', 'payload', ''], id);
      },
      occupy: async (log) => {
        await this.#commands.set(keysOf(log).stream, 'not a log');
      },
      backup: (log) => this.#backup(log),
      foreign,
      lossy: this.#lossy(),
    };
  }

  static async on(server: RedisServer): Promise<RedisUnderTest> {
    return new RedisUnderTest(server, await TcpProxy.start(server.port));
  }

  open(options: OpenOptions = {}): Promise<RedisLog> {
    return RedisLog.open(this.#server.url(), redisOptions(options));
  }

  async dispose(): Promise<void> {
    this.#commands.disconnect();
    await this.#proxy[Symbol.asyncDispose]();
  }

  async #backup(log: LogName): Promise<() => Promise<void>> {
    const keys = [...Object.values(keysOf(log)), 'feed', '{feed}:indexed'];
    const dumps = await Promise.all(keys.map((key) => this.#commands.dumpBuffer(key)));
    return async () => {
      for (const [index, key] of keys.entries()) {
        const dump = dumps[index];
        if (dump) await this.#commands.restore(key, 0, dump, 'REPLACE');
        else await this.#commands.del(key);
      }
    };
  }

  #lossy(): LossyLog {
    const proxy = this.#proxy;
    const url = `redis://127.0.0.1:${proxy.port}/0`;
    return {
      open: (options = {}) => RedisLog.open(url, redisOptions(options)),
      swallowReplies: () => proxy.swallowReplies(),
      hasSwallowed: () => proxy.swallowed > 0,
      cut: () => proxy.cut(),
      refuse: () => proxy.refuse(),
      heal: () => proxy.heal(),
    };
  }
}

function redisOptions({ producerIdle, limits, feedScan }: OpenOptions): RedisLogOptions {
  return {
    producerIdle,
    limits: { ...DEFAULT_EVENT_LIMITS, ...limits },
    sweepInterval: SWEEP_INTERVAL,
    feedScan: feedScan ?? SWEEP_INTERVAL,
  };
}

function foreignWriter(commands: Redis): ForeignWriter {
  return {
    async add(log, fields, id = '*') {
      const values = fields.map((field) =>
        typeof field === 'string' ? field : Buffer.from(field),
      );
      return (await commands.xadd(keysOf(log).stream, id, ...values)) as EventId;
    },
    async trim(log, kept) {
      await commands.xtrim(keysOf(log).stream, 'MAXLEN', kept);
    },
    async remove(log, ...ids) {
      await commands.xdel(keysOf(log).stream, ...ids);
    },
    async drop(log) {
      await commands.del(...Object.values(keysOf(log)));
    },
    async copy(log) {
      const { stream } = keysOf(log);
      const dump = await commands.dumpBuffer(stream);
      return async () => {
        await commands.restore(stream, 0, dump, 'REPLACE');
      };
    },
  };
}
