/** The highest rate at which nearly every event still arrives soon. */
import { type Contender, GatewayProcess } from '../gateway-process.ts';
import type { Connect, Send, Sent } from '../load/questions.ts';
import { watchCpu } from '../machine.ts';
import { RedisProcess } from '../redis-process.ts';
import { number, percent, type Row } from '../report.ts';
import { leftOutRow, type Plan, type Result, rivalNotes, type Suite, startLoad } from './suite.ts';

const SOCKETS = 500;
const LIMIT_MS = 50;
/** The search ends when the highest good and the lowest bad rate are this close. */
const PRECISION = 1.08;
const LOWEST_RATE = 100;
/** A machine that is shared has bad moments: a rate has to fail twice. */
const TRIES = 2;

interface Trial {
  readonly sent: Sent;
  readonly cpu: Record<'gateway' | 'redis' | 'load', number>;
}

interface Saturation {
  readonly contender: string;
  readonly sockets: number;
  /** The highest rate that passed, in events per second; 0 if none did. */
  readonly rate: number;
  readonly best: Trial | undefined;
  readonly lowestFailure: Trial | undefined;
}

export const saturation: Suite = {
  name: 'saturation',
  async run(plan): Promise<Result> {
    const rows: Saturation[] = [];
    for (const contender of plan.contenders) {
      plan.progress(`${contender.name}, looking for its limit`);
      rows.push(await search(plan, contender));
    }
    return {
      title: `Saturation: the highest rate with p99 below ${LIMIT_MS} ms, ${SOCKETS} sockets`,
      rows,
      table: [...rows.map(describe), ...plan.leftOut.map(leftOutRow)],
      notes: [
        ...rivalNotes(plan.contenders),
        'gateway, Redis and load generator share the cores: where their CPU adds up to all of them, the machine is what is saturated',
      ],
    };
  },
};

function describe({ contender, rate, best, lowestFailure }: Saturation): Row {
  return {
    gateway: contender,
    'events/s': rate === 0 ? 'none' : number(rate),
    p50: number(best?.sent.delivery.p50 ?? Number.NaN),
    p99: number(best?.sent.delivery.p99 ?? Number.NaN),
    'CPU gateway': best ? percent(best.cpu.gateway) : '–',
    Redis: best ? percent(best.cpu.redis) : '–',
    load: best ? percent(best.cpu.load) : '–',
    'failed at': number(lowestFailure?.sent.rate ?? Number.NaN),
    'p99 there': number(lowestFailure?.sent.delivery.p99 ?? Number.NaN),
    'load lag p99 there': number(lowestFailure?.sent.loadLag.p99 ?? Number.NaN),
  };
}

async function search(plan: Plan, contender: Contender): Promise<Saturation> {
  const redis = await RedisProcess.start(plan.durability);
  const gateway = await GatewayProcess.start(contender, redis.endpoint, plan.profile);
  const load = startLoad();
  const pids = { gateway: gateway.pid, redis: redis.pid, load: load.pid };
  let best: Trial | undefined;
  let lowestFailure: Trial | undefined;

  const passes = async (rate: number): Promise<boolean> => {
    let failure: Trial | undefined;
    for (let attempt = 0; attempt < (plan.quick ? 1 : TRIES); attempt++) {
      const cpu = watchCpu(pids);
      const sent = await load.ask<Sent>(question(plan, rate));
      const trial = { sent, cpu: cpu() };
      const good = isGood(sent, rate);
      plan.progress(
        `  ${number(rate)}/s: p99 ${number(sent.delivery.p99)} ms, really ${number(sent.rate)}/s ${good ? 'good' : 'bad'}`,
      );
      if (good) {
        best = trial;
        return true;
      }
      failure = trial;
    }
    lowestFailure = failure;
    return false;
  };

  try {
    const { format } = contender;
    const connect: Connect = {
      do: 'connect',
      port: gateway.port,
      format,
      first: 1,
      count: SOCKETS,
    };
    await load.ask(connect);
    // Cold code is no measure of a gateway that has been running for a while.
    await load.ask(question(plan, contender.startRate / 4));

    let good = 0;
    let bad = Number.POSITIVE_INFINITY;
    let rate = contender.startRate;
    while (rate >= LOWEST_RATE && !(good > 0 && bad / good < (plan.quick ? 1.5 : PRECISION))) {
      if (await passes(rate)) good = rate;
      else bad = rate;
      if (good === 0) rate = Math.floor(rate / 2);
      else if (bad === Number.POSITIVE_INFINITY) rate = Math.floor(rate * 1.5);
      else rate = Math.floor(Math.sqrt(good * bad));
    }
    return { contender: contender.name, sockets: SOCKETS, rate: good, best, lowestFailure };
  } finally {
    await load.stop();
    await gateway.stop();
    await redis.stop();
  }
}

function question(plan: Plan, rate: number): Send {
  return { do: 'send', rate, seconds: plan.quick ? 1.5 : 3, warmUpSeconds: 0.5, drainSeconds: 10 };
}

function isGood(sent: Sent, rate: number): boolean {
  const complete = sent.received === sent.sent && sent.doubled === 0 && sent.failures === 0;
  return complete && sent.delivery.p99 < LIMIT_MS && sent.rate > 0.97 * rate;
}
