/** A process that handles commands as fast as it can, with a fixed number in flight. */
import { answerQuestions } from '../child.ts';
import { Samples } from '../latency.ts';
import { COMMAND_WAYS, type CommandWayName } from './command-ways.ts';

export interface CommandsQuestion {
  readonly way: CommandWayName;
  readonly target: string;
  readonly logs: number;
  readonly inFlight: number;
  /** On logs of their own, so that the measured ones are new. */
  readonly warmUpSeconds: number;
  readonly warmUpInFlight: number;
  /** It ends after so many seconds or so many commands, whichever comes first. */
  readonly seconds: number;
  readonly commands: number;
  /** How long the last answers are waited for after that. */
  readonly patienceSeconds: number;
}

export interface CommandsResult {
  /** Commands per second that were answered without an error. */
  readonly rate: number;
  /** From the call to the answer, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly done: number;
  /** How often which error came, and how many calls had no answer long after the end. */
  readonly failed: Readonly<Record<string, number>>;
  readonly unanswered: number;
  /** CPU microseconds of this process per command. */
  readonly clientCpu: number;
  readonly durability: string;
}

const LENGTH_OF_AN_ERROR = 100;

answerQuestions(async (question: CommandsQuestion): Promise<CommandsResult> => {
  const way = await COMMAND_WAYS[question.way](question.target);
  const { inFlight, warmUpSeconds, warmUpInFlight, seconds, commands } = question;
  await drive('warm-up', warmUpInFlight, warmUpSeconds, Number.POSITIVE_INFINITY);
  const cpuBefore = process.cpuUsage();
  const { elapsed, done, failed, unanswered, latencies } = await drive(
    'account',
    inFlight,
    seconds,
    commands,
  );
  const { user, system } = process.cpuUsage(cpuBefore);
  const { p50, p99 } = latencies.percentiles();
  if (unanswered === 0) await way.close();
  return {
    rate: done / elapsed,
    p50,
    p99,
    done,
    failed,
    unanswered,
    clientCpu: done === 0 ? 0 : (user + system) / done,
    durability: way.durability,
  };

  async function drive(category: string, callers: number, forSeconds: number, most: number) {
    const latencies = new Samples();
    const failed: Record<string, number> = {};
    const startedAt = performance.now();
    const until = startedAt + forSeconds * 1000;
    let endedAt = startedAt;
    let called = 0;
    let done = 0;
    let answered = 0;
    const call = async (caller: number) => {
      while (called < most) {
        const calledAt = performance.now();
        if (calledAt >= until) return;
        const account = `${category}:${called++ % question.logs}`;
        try {
          await way.handle(caller, { account, amount: 1 });
          done++;
        } catch (error) {
          const name = nameOf(error);
          failed[name] = (failed[name] ?? 0) + 1;
        }
        endedAt = performance.now();
        latencies.add(endedAt - calledAt);
        // Answers that come in the same turn would starve the timers and sockets of this process.
        if (++answered % 100 === 0) await new Promise(setImmediate);
      }
    };
    await Promise.race([
      Promise.all(Array.from({ length: callers }, (_, caller) => call(caller))),
      new Promise((resolve) => setTimeout(resolve, (forSeconds + question.patienceSeconds) * 1000)),
    ]);
    const unanswered = called - answered;
    if (unanswered > 0) endedAt = performance.now();
    const elapsed = (endedAt - startedAt) / 1000;
    return { elapsed, done, failed, unanswered, latencies };
  }
});

/** The code, and what it says about it: some codes stand for several reasons. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return `${error}`;
  const code = 'code' in error ? `${error.code}` : error.name;
  const text = error.message.startsWith(code) ? error.message : `${code}: ${error.message}`;
  return text.slice(0, LENGTH_OF_AN_ERROR);
}
