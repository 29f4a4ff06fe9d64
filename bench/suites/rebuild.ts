/** A read model computed from all events of a store: ours beside Emmett. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import { ensureEmmett } from '../emmett/installation.ts';
import type {
  Filled,
  FillQuestion,
  RebuildQuestion,
  RebuildWayName,
} from '../event-sourcing/rebuild-process.ts';
import type { Rebuilt } from '../event-sourcing/rebuild-way.ts';
import { median } from '../latency.ts';
import { cpuSeconds } from '../machine.ts';
import { RedisProcess } from '../redis-process.ts';
import { number, type Row, ratio } from '../report.ts';
import type { Plan, Result, Suite } from './suite.ts';

const LOGS = 1_000;
const FILL_WITHIN_SECONDS = 60;
const REBUILD_WITHIN_MS = 90_000;
const ROUNDS = 3;

interface Place {
  readonly store: 'embedded' | 'Redis' | 'SQLite';
  readonly ways: readonly RebuildWayName[];
  readonly events: number;
  readonly quickEvents: number;
}

/** Emmett has fewer events, so that its share of the benchmark's time stays bearable. */
const PLACES: readonly Place[] = [
  {
    store: 'embedded',
    ways: ['millrace project', 'millrace feed, no read model'],
    events: 1_000_000,
    quickEvents: 50_000,
  },
  {
    store: 'SQLite',
    ways: ['emmett consumer', 'emmett readMessagesBatch, no read model'],
    events: 50_000,
    quickEvents: 10_000,
  },
  {
    store: 'Redis',
    ways: ['millrace project', 'millrace feed, no read model'],
    events: 1_000_000,
    quickEvents: 50_000,
  },
];

/** A store with events in it. */
interface Filling extends Place {
  readonly target: string;
  readonly filled: number;
  /** The server that it is in, if any. */
  readonly redisPid: number | undefined;
  remove(): Promise<void>;
}

interface Rebuild {
  readonly way: RebuildWayName;
  readonly store: Place['store'];
  readonly events: number;
  readonly round: number;
  readonly rate: number;
  /** CPU microseconds per event, in the process that rebuilds and in Redis. */
  readonly clientCpu: number;
  readonly redisCpu: number;
  /** Why there is no rate. */
  readonly failed?: string;
}

export const rebuild: Suite = {
  name: 'rebuild',
  async run(plan): Promise<Result> {
    const withoutEmmett = await ensureEmmett(plan.progress);
    const fillings: Filling[] = [];
    const rows: Rebuild[] = [];
    try {
      for (const place of PLACES) {
        if (place.store === 'SQLite' && withoutEmmett !== undefined) continue;
        fillings.push(await fill(plan, place));
      }
      // Round by round, so that a bad moment of the machine hits all alike.
      for (let round = 1; round <= (plan.quick ? 1 : ROUNDS); round++) {
        for (const filling of fillings) {
          for (const way of filling.ways) {
            if (round > 1 && isReadingAlone(way)) continue;
            plan.progress(`${way}, ${filling.store}, round ${round}`);
            rows.push(await measure(filling, way, round));
          }
        }
      }
    } finally {
      for (const filling of fillings) await filling.remove();
    }
    return {
      title: `Rebuild: balances of ${number(LOGS)} accounts computed from all events, in a new process each time`,
      rows,
      table: table(rows, withoutEmmett),
      notes: [
        'of three rounds the best one, as what else the machine does only ever slows one down',
        'µs: CPU time per event, which other work on the machine changes less than it changes rates',
        'with a read model: its rows and its checkpoint are committed in the store that holds the events',
        'one event an append in our stores, so the feed has an entry for each; 100 an append in SQLite, which reads them alike',
        'emmett consumer: batches of 10,000 and no rest between them; its defaults (100, 50 ms) allow 2,000 events/s',
        ...rows.flatMap(({ way, store, round, failed }) => {
          return failed === undefined ? [] : [`${way}, ${store}, round ${round}: ${failed}`];
        }),
      ],
    };
  },
};

/** Tells what the reading costs, and is nothing that anybody would use: once is enough. */
function isReadingAlone(way: RebuildWayName): boolean {
  return way.endsWith('no read model');
}

async function fill(plan: Plan, place: Place): Promise<Filling> {
  const events = plan.quick ? place.quickEvents : place.events;
  plan.progress(`writing ${number(events)} events, ${place.store}`);
  const redis = place.store === 'Redis' ? await RedisProcess.start(plan.durability) : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-rebuild-'));
  const target = redis?.endpoint ?? folder;
  const remove = async () => {
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const question: FillQuestion = {
      fill: true,
      way: place.ways[0]!,
      target,
      events,
      logs: LOGS,
      seconds: FILL_WITHIN_SECONDS,
    };
    const { events: filled } = await ask<Filled>(question, FILL_WITHIN_SECONDS * 2_000);
    return { ...place, target, filled, redisPid: redis?.pid, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function measure(filling: Filling, way: RebuildWayName, round: number): Promise<Rebuild> {
  const { store, target, filled, redisPid } = filling;
  const row = { way, store, events: filled, round, rate: 0, clientCpu: 0, redisCpu: 0 };
  const redisSeconds = () => (redisPid === undefined ? 0 : cpuSeconds(redisPid));
  try {
    const question: RebuildQuestion = { fill: false, way, target, events: filled, attempt: round };
    const before = redisSeconds();
    const { seconds, cpuSeconds: spent, total } = await ask<Rebuilt>(question, REBUILD_WITHIN_MS);
    if (total !== filled) return { ...row, failed: `${total} of ${filled} counted` };
    return {
      ...row,
      rate: filled / seconds,
      clientCpu: (spent * 1e6) / filled,
      redisCpu: ((redisSeconds() - before) * 1e6) / filled,
    };
  } catch (error) {
    // A contestant that breaks down is a result of its own, and no reason to lose the others'.
    const reason = error instanceof Error ? error.message.split('\n', 1)[0]! : `${error}`;
    return { ...row, failed: reason };
  }
}

async function ask<Answer>(question: FillQuestion | RebuildQuestion, withinMs: number) {
  const script = new URL('../event-sourcing/rebuild-process.js', import.meta.url);
  const child = new Child(fileURLToPath(script));
  const tooLate = setTimeout(() => child.process.kill('SIGKILL'), withinMs);
  try {
    return await child.ask<Answer>(question);
  } finally {
    clearTimeout(tooLate);
    await child.stop();
  }
}

function table(rows: readonly Rebuild[], withoutEmmett: string | undefined): Row[] {
  const emmett = rateOf(rows, 'emmett consumer', 'SQLite');
  const lines = PLACES.flatMap(({ store, ways }) => {
    return ways.flatMap((way): Row[] => {
      const own = rows.filter((row) => row.way === way && row.store === store);
      if (own.length === 0) return [];
      const rate = rateOf(rows, way, store);
      const worked = own.filter((row) => row.failed === undefined);
      return [
        {
          contestant: way,
          store,
          events: number(own[0]!.events),
          'events/s': worked.length === 0 ? 'failed' : number(rate),
          'of emmett consumer': ratio(rate, emmett),
          'µs client': number(median(worked.map(({ clientCpu }) => clientCpu))),
          'µs Redis':
            store === 'Redis' ? number(median(worked.map(({ redisCpu }) => redisCpu))) : '–',
          rounds: own
            .map((row) => (row.failed === undefined ? number(row.rate) : 'failed'))
            .join(' '),
        },
      ];
    });
  });
  if (withoutEmmett !== undefined) lines.push({ contestant: `emmett: ${withoutEmmett}` });
  return lines;
}

function rateOf(rows: readonly Rebuild[], way: RebuildWayName, store: Place['store']): number {
  const rates = rows
    .filter((row) => row.way === way && row.store === store)
    .map(({ rate }) => rate);
  return rates.length === 0 ? Number.NaN : Math.max(...rates);
}
