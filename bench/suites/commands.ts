/** Commands per second: load, decide, append with the expected version; ours beside Emmett. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import { ensureEmmett } from '../emmett/installation.ts';
import {
  CONTESTANTS,
  type Contestant,
  contestantName,
  isEmmett,
} from '../event-sourcing/command-contestants.ts';
import type { CommandsQuestion, CommandsResult } from '../event-sourcing/commands-process.ts';
import {
  type CommandsCell,
  commandsTable,
  comparisons,
  failures,
} from '../event-sourcing/commands-report.ts';
import { RedisProcess } from '../redis-process.ts';
import type { Plan, Result, Suite } from './suite.ts';

const ANSWER_WITHIN_MS = 25_000;
const PATIENCE_SECONDS = 3;
/** SQLite waits for a second for each of its threads' turn before it gives up. */
const LONG_PATIENCE_SECONDS = 16;
const ROUNDS = 2;

export const commands: Suite = {
  name: 'commands',
  async run(plan): Promise<Result> {
    const withoutEmmett = await ensureEmmett(plan.progress);
    const contestants = CONTESTANTS.filter((each) => {
      return !(isEmmett(each) && withoutEmmett !== undefined);
    });
    const cells: CommandsCell[] = [];
    // Round by round, so that a bad moment of the machine hits all alike.
    for (let round = 1; round <= (plan.quick ? 1 : ROUNDS); round++) {
      for (const logs of [1, 1_000]) {
        for (const contestant of contestants) {
          if (!(contestant.logs ?? [1, 1_000]).includes(logs)) continue;
          if (round > 1 && contestant.breaksDown) continue;
          for (const inFlight of contestant.inFlight) {
            const name = contestantName(contestant);
            plan.progress(`${name}, ${logs} logs, ${inFlight} in flight, round ${round}`);
            const result = await measure(plan, contestant, logs, inFlight);
            cells.push({ contestant: name, logs, inFlight, round, ...result });
          }
        }
      }
    }
    return {
      title:
        'Commands: load, decide, append with the expected version; commands/s by how many are in flight',
      rows: cells,
      table: commandsTable(cells, withoutEmmett),
      notes: [
        ...comparisons(cells),
        'a command is a deposit to an account; the state is the balance; one event each; no snapshots; of two rounds the better one',
        'µs client: CPU time per command of the process that handles them, with the most in flight; other work on the machine changes it less than rates',
        'on one log, those that read it for each command stop after 1,000 commands, because its length is what they pay for; what they failed at is not counted in the rate',
        `Redis: append-only file ${plan.durability}, or flushed for each command where it says so`,
        'emmett with several in flight: a store closes its connection under calls that still use it (SQLITE_MISUSE); with a store for each caller, BEGIN fails with SQLITE_BUSY, and what is reported is the rollback that then fails; so callers have to queue',
        ...failures(cells),
      ],
    };
  },
};

async function measure(
  plan: Plan,
  contestant: Contestant,
  logs: number,
  inFlight: number,
): Promise<CommandsResult> {
  const redis =
    contestant.store === 'Redis'
      ? await RedisProcess.start(plan.durability)
      : contestant.store === 'Redis, flushed'
        ? await RedisProcess.start('always')
        : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-commands-'));
  const script = new URL('../event-sourcing/commands-process.js', import.meta.url);
  const child = new Child(fileURLToPath(script));
  const tooLate = setTimeout(() => child.process.kill('SIGKILL'), ANSWER_WITHIN_MS);
  try {
    return await child.ask<CommandsResult>({
      way: contestant.way,
      target: redis?.endpoint ?? folder,
      logs,
      inFlight,
      warmUpSeconds: plan.quick ? 0.2 : 0.3,
      // Emmett at several in flight would break down before it is measured.
      warmUpInFlight: isEmmett(contestant) ? 1 : inFlight,
      seconds: plan.quick ? 0.5 : 1,
      patienceSeconds: contestant.breaksDown ? LONG_PATIENCE_SECONDS : PATIENCE_SECONDS,
      commands: logs === 1 && contestant.readsLog ? 1_000 : 100_000,
    } satisfies CommandsQuestion);
  } catch (error) {
    // A contestant that breaks down is a result of its own, and no reason to lose the others'.
    return brokenDown(error);
  } finally {
    clearTimeout(tooLate);
    await child.stop();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function brokenDown(error: unknown): CommandsResult {
  const reason = error instanceof Error ? error.message.split('\n', 1)[0]! : `${error}`;
  return {
    rate: 0,
    p50: 0,
    p99: 0,
    done: 0,
    failed: { [`the process: ${reason}`]: 1 },
    unanswered: 0,
    clientCpu: 0,
    durability: 'unknown',
  };
}
