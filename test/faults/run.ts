/**
 * One run of the fault suite: devices of several accounts append to shared logs and read them, while
 * everything around them fails; then all is well again, and what came of it is checked.
 */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPage } from '../../src/protocol/page.ts';
import { seededRandom } from '../../src/testing/seeded.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RedisServer } from '../support/redis-server.ts';
import { complaints, type LoggedEvent } from './checker.ts';
import { Device } from './device.ts';
import { CALM, FaultyProxy } from './faulty-proxy.ts';

export interface RunOptions {
  readonly seed: number;
  readonly store: 'embedded' | 'redis';
  /** How many devices. Default 40. */
  readonly devices?: number;
  /** For how long everything fails, in milliseconds. Default 8,000. */
  readonly during?: number;
}

export interface RunResult {
  /** What is wrong; nothing when all is well. */
  readonly wrong: readonly string[];
  /** What happened, in numbers. */
  readonly summary: string;
}

const ROOMS = ['room:1', 'room:2', 'room:3'];
const COUNTERS = ['counter:1', 'counter:2'];
const FAULTS = { cut: 0.01, swallow: 0.004, repeat: 0.05, delay: 0.2, longest: 120 };
/** What browsers tell, here to all clients of this process. */
const signals = new EventTarget();
setMaxListeners(0, signals);
Object.assign(globalThis, {
  addEventListener: signals.addEventListener.bind(signals),
  removeEventListener: signals.removeEventListener.bind(signals),
});

export async function run({
  seed,
  store,
  devices = 40,
  during = 8_000,
}: RunOptions): Promise<RunResult> {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  await using place = await Place.open(store);
  await using proxy = await FaultyProxy.start(place.gateway.port, seededRandom(seed + 1));
  const all = Array.from({ length: devices }, (_, index) => {
    // Several devices of one account, some without WebSockets.
    const account = `a${index % Math.ceil(devices / 2)}`;
    const rooms = [pick(ROOMS), `account:${account}`];
    const options = { rooms, counters: index % 4 === 0 ? [pick(COUNTERS)] : [] };
    const name = `d${index}`;
    return new Device({ name, account, url: proxy.url, byHttp: index % 8 === 7, ...options });
  });
  try {
    proxy.faults = FAULTS;
    const until = Date.now() + during;
    const blows = place.blows(random, until);
    const offline = new Set<Device>();
    while (Date.now() < until) {
      const device = pick(all);
      const luck = random();
      if (luck < 0.05) device.append(pick([...ROOMS, device.own]), 1, true);
      else if (luck < 0.72) {
        device.append(pick([...ROOMS, device.own]), 1 + Math.floor(random() * 3));
      } else if (luck < 0.82) device.count(pick(COUNTERS));
      else if (luck < 0.88) {
        device.offline();
        offline.add(device);
      } else if (luck < 0.96) {
        for (const each of offline) each.online();
        offline.clear();
        signals.dispatchEvent(new Event('online'));
      } else device.reload();
      await sleep(random() * 20);
    }
    await blows;
    proxy.faults = CALM;
    for (const each of all) each.online();
    const heal = () => {
      signals.dispatchEvent(new Event('online'));
      const busy = all.filter((each) => !each.isQuiet);
      if (busy.length > 0) {
        const [first] = busy;
        const { status, reason } = first!.client.connection.get();
        const waiting = first!.client.outbox.entries.get().length;
        throw new Error(
          `${busy.length} devices are not done, such as ${first!.name} (${status}, ${reason}), with ${waiting} entries and views ${JSON.stringify(first!.views.map(({ log, marks, pending, failure }) => [log, marks.length, pending, failure]))}`,
        );
      }
    };
    // What was swallowed is noticed after half a minute; nobody has to wait for that here.
    proxy.cutAll();
    await eventually(heal, { timeout: 45_000, interval: 500 });
    const logs = await place.logs([...ROOMS, ...COUNTERS, ...new Set(all.map(({ own }) => own))]);
    await eventually(
      () =>
        all.every(({ views }) =>
          views.every(({ log, marks }) => marks.length >= logs[log]!.length),
        ),
      { timeout: 10_000 },
    ).catch(() => {});
    for (const each of all) each.readRefusals();
    const appends = all.flatMap((each) => each.appends);
    const views = all.flatMap(({ name, views }) =>
      views.map((each) => ({ device: name, ...each })),
    );
    const wrong = [...complaints({ appends, logs, views }), ...miscounted(logs)];
    const told = (what: string) => appends.filter((each) => each.told === what).length;
    const faults = Object.entries(proxy.counts).map(([name, count]) => `${count} ${name}`);
    const reloads = all.reduce((sum, each) => sum + each.reloads, 0);
    return {
      wrong,
      summary: [
        `seed ${seed}, ${store}: ${appends.length} appends (${told('settled')} settled, ${told('kept')} kept,`,
        `${told('refused')} refused, ${told('unknown')} not told), ${reloads} reloads, ${place.kills} kills, ${faults.join(', ')}`,
      ].join(' '),
    };
  } finally {
    await Promise.all(all.map((each) => each.end()));
  }
}

/** A number is given out once: commands were decided on what the log says. */
function miscounted(
  logs: Readonly<Record<string, readonly (LoggedEvent & { readonly n?: number })[]>>,
) {
  return COUNTERS.flatMap((log) =>
    logs[log]!.flatMap(({ n, mark }, index) =>
      n === index + 1 ? [] : [`${mark} has number ${n} in ${log} and is its event ${index + 1}`],
    ),
  );
}

/** A gateway and its store, each of which may be killed at any moment. */
class Place implements AsyncDisposable {
  readonly gateway: GatewayProcess;
  readonly #redis: RedisServer | undefined;
  readonly #folder: string;
  kills = 0;

  private constructor(gateway: GatewayProcess, redis: RedisServer | undefined, folder: string) {
    this.gateway = gateway;
    this.#redis = redis;
    this.#folder = folder;
  }

  static async open(store: RunOptions['store']): Promise<Place> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
    const redis =
      store === 'redis'
        ? await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' })
        : undefined;
    const gateway = await GatewayProcess.start({
      store: redis?.url() ?? join(folder, 'store'),
      flags: ['--append', 'any', '--log-level', 'error'],
    });
    return new Place(gateway, redis, folder);
  }

  /** Kills one or the other now and then. Both are there when it is over. */
  async blows(random: () => number, until: number): Promise<void> {
    while (Date.now() < until - 1_500) {
      await sleep(800 + random() * 1_500);
      const victim = this.#redis !== undefined && random() < 0.4 ? this.#redis : this.gateway;
      await victim.kill();
      this.kills += 1;
      await sleep(random() * 400);
      await victim.start();
    }
  }

  async logs(names: readonly string[]): Promise<Record<string, (LoggedEvent & { n?: number })[]>> {
    const logs: Record<string, (LoggedEvent & { n?: number })[]> = {};
    for (const log of names) {
      const events: (LoggedEvent & { n?: number })[] = [];
      for (let after = '0-0', more = true; more; ) {
        const path = `/logs/${log}/events?after=${after}&limit=10000`;
        const page = readPage(await (await fetch(this.gateway.http(path))).text());
        for (const { id, payload } of page.events) {
          events.push({ id, ...(payload as { mark: string; n?: number }) });
        }
        ({ cursor: after, more } = page);
      }
      logs[log] = events;
    }
    return logs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.kill();
    await this.#redis?.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
