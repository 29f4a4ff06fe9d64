/** How fast an event reaches a socket, and what an idle socket costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Contender, GatewayProcess } from '../gateway-process.ts';
import { type Connect, type Send, type Sent, WRITERS } from '../load/questions.ts';
import { openFileLimit, watchCpu } from '../machine.ts';
import { RedisProcess } from '../redis-process.ts';
import { kilobytes, number, percent, type Row } from '../report.ts';
import { leftOutRow, type Plan, type Result, rivalNotes, type Suite, startLoad } from './suite.ts';

const RATE = 2_000;
/** Files that a gateway has open besides its sockets, generously. */
const SPARE_FILES = 200;

interface Delivery extends Sent {
  readonly contender: string;
  readonly sockets: number;
  /** Bytes of memory that the gateway process grew by, per socket: right after connecting, and after the events. */
  readonly rssPerSocket: number;
  readonly rssPerSocketAfter: number;
  /** Bytes of live objects and buffers in the gateway, per socket. */
  readonly livePerSocket: number;
  readonly redisBytesPerSocket: number;
  /** Redis commands per second while nothing happens. */
  readonly idleCommands: number;
  /** Percent of a core while nothing happens. */
  readonly idleCpu: Record<'gateway' | 'redis', number>;
  /** Percent of a core while events flow. */
  readonly cpu: Record<'gateway' | 'redis' | 'load', number>;
}

export const delivery: Suite = {
  name: 'delivery',
  async run(plan): Promise<Result> {
    const sizes = plan.quick ? [1_000] : [1_000, 10_000];
    const rows: Delivery[] = [];
    const notes: string[] = [];
    for (const size of sizes) {
      for (const contender of plan.contenders) {
        const possible = Math.floor((openFileLimit() - SPARE_FILES) / contender.filesPerSocket);
        if (possible < size) {
          notes.push(
            `${contender.name}: ${possible} instead of ${size} sockets, because a process here may open ${openFileLimit()} files`,
          );
        }
        plan.progress(`${contender.name}, ${size} sockets`);
        rows.push(await measure(plan, contender, Math.min(size, possible)));
      }
    }
    return {
      title: `Delivery: one account a socket, ${number(RATE)} events/s appended through the gateway`,
      rows,
      table: [...rows.map(describe), ...plan.leftOut.map(leftOutRow)],
      notes: [
        ...notes,
        ...rivalNotes(plan.contenders),
        'late or wrong: events that had not come 5 s after the last was sent, came twice or were refused; connections that broke',
        'latency in ms from sending the append to receiving the event; memory is growth per socket; CPU in percent of one core',
      ],
    };
  },
};

async function measure(plan: Plan, contender: Contender, sockets: number): Promise<Delivery> {
  const redis = await RedisProcess.start(plan.durability);
  const gateway = await GatewayProcess.start(contender, redis.endpoint, plan.profile);
  const load = startLoad();
  try {
    const connect = (first: number, count: number) =>
      load.ask<void>({
        do: 'connect',
        port: gateway.port,
        format: contender.format,
        first,
        count,
      } satisfies Connect);
    // First use of every path allocates what later uses share: that is not a socket's cost.
    await connect(1_000_000, 100);
    await load.ask(question(200, 1, 0));
    await load.ask({ do: 'disconnect' });
    await sleep(1_500);

    const before = { gateway: await gateway.memory(), redis: await redis.usedMemory() };
    await connect(1, sockets);
    await sleep(1_500);
    const connected = { gateway: await gateway.memory(), redis: await redis.usedMemory() };
    const idleCpu = watchCpu({ gateway: gateway.pid, redis: redis.pid });
    const idleCommands = await redis.commandsPerSecond(idleSeconds(plan, contender));
    const idle = idleCpu();

    const runs: { sent: Sent; cpu: Delivery['cpu'] }[] = [];
    for (let run = 0; run < (plan.quick ? 1 : 3); run++) {
      const cpu = watchCpu({ gateway: gateway.pid, redis: redis.pid, load: load.pid });
      const sent = await load.ask<Sent>(question(RATE, plan.quick ? 2 : 5, 1));
      runs.push({ sent, cpu: cpu() });
    }
    const after = await gateway.memory();
    runs.sort((a, b) => a.sent.delivery.p99 - b.sent.delivery.p99);
    const middle = runs[Math.floor(runs.length / 2)]!;
    const all = sockets + WRITERS;
    return {
      contender: contender.name,
      sockets,
      ...middle.sent,
      rssPerSocket: (connected.gateway.rss - before.gateway.rss) / all,
      rssPerSocketAfter: (after.rss - before.gateway.rss) / all,
      livePerSocket: (connected.gateway.live - before.gateway.live) / all,
      redisBytesPerSocket: (connected.redis - before.redis) / all,
      idleCommands,
      idleCpu: idle,
      cpu: middle.cpu,
    };
  } finally {
    await load.stop();
    await gateway.stop();
    await redis.stop();
  }
}

/** Idle work may come seldom, and then belongs to what is shown all the same. */
function idleSeconds(plan: Plan, contender: Contender): number {
  return plan.quick ? 2 : (contender.idleSeconds ?? 5);
}

function question(rate: number, seconds: number, warmUpSeconds: number): Send {
  return { do: 'send', rate, seconds, warmUpSeconds, drainSeconds: 5 };
}

function describe(row: Delivery): Row {
  const wrong = row.sent - row.received + row.doubled + row.failures;
  return {
    gateway: row.contender,
    sockets: number(row.sockets),
    p50: number(row.delivery.p50),
    p99: number(row.delivery.p99),
    'p99.9': number(row.delivery.p999),
    'ack p50': number(row.acknowledgement.p50),
    'KB/socket': kilobytes(row.rssPerSocket),
    'after load': kilobytes(row.rssPerSocketAfter),
    live: kilobytes(row.livePerSocket),
    'in Redis': kilobytes(row.redisBytesPerSocket),
    'idle cmd/s': number(row.idleCommands),
    'idle CPU': percent(row.idleCpu.gateway + row.idleCpu.redis),
    'CPU gateway': percent(row.cpu.gateway),
    Redis: percent(row.cpu.redis),
    load: percent(row.cpu.load),
    'load lag p99': number(row.loadLag.p99),
    'late or wrong': number(wrong),
  };
}
