/** A process that appends as fast as it can with a fixed number of events in flight. */
import { answerQuestions } from '../child.ts';
import { Samples } from '../latency.ts';
import { APPENDERS, type AppenderName } from './appenders.ts';

export interface AppendQuestion {
  readonly appender: AppenderName;
  readonly target: string;
  readonly inFlight: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface AppendResult {
  /** Acknowledged events per second. */
  readonly rate: number;
  /** From the call to the acknowledgement, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU microseconds of this process per event: says more than the rate on a machine that is shared. */
  readonly clientCpu: number;
  /** All events, those of the warm-up included. */
  readonly events: number;
}

answerQuestions(async (question: AppendQuestion): Promise<AppendResult> => {
  const appender = await APPENDERS[question.appender](question.target);
  const callers = Math.max(1, Math.round(question.inFlight / appender.batch));
  const countFrom = performance.now() + question.warmUpSeconds * 1000;
  const until = countFrom + question.seconds * 1000;
  const latencies = new Samples();
  let acknowledged = 0;
  let calls = 0;
  const cpuBefore = process.cpuUsage();
  const call = async () => {
    for (;;) {
      const calledAt = performance.now();
      if (calledAt >= until) return;
      await appender.append();
      // Calls that answer in the same turn would starve the timers and sockets of this process.
      if (++calls % 1_000 === 0) await new Promise(setImmediate);
      const now = performance.now();
      if (now < countFrom || now >= until) continue;
      acknowledged += appender.batch;
      latencies.add(now - calledAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const { user, system } = process.cpuUsage(cpuBefore);
  await appender.close();
  const { p50, p99 } = latencies.percentiles();
  const events = calls * appender.batch;
  const clientCpu = (user + system) / events;
  return { rate: acknowledged / question.seconds, p50, p99, clientCpu, events };
});
