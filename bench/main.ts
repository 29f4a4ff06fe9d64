/** `npm run bench`: see `docs/performance.md`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CONTENDERS, type Contender } from './gateway-process.ts';
import { describeMachine, type Machine } from './machine.ts';
import { takeMeasuredBuild } from './measured-build.ts';
import type { Durability } from './redis-process.ts';
import { formatTable } from './report.ts';
import { append } from './suites/append.ts';
import { client } from './suites/client.ts';
import { commands } from './suites/commands.ts';
import { delivery } from './suites/delivery.ts';
import { rebuild } from './suites/rebuild.ts';
import { replay } from './suites/replay.ts';
import { saturation } from './suites/saturation.ts';
import type { LeftOut, Plan, Result, Suite } from './suites/suite.ts';

const SUITES: readonly Suite[] = [delivery, saturation, append, replay, commands, rebuild, client];
const DURABILITIES: readonly Durability[] = ['off', 'everysec', 'always'];
/** `bench/`, seen from the compiled file. */
const BENCH = fileURLToPath(new URL('../../', import.meta.url));

const HELP = `Usage: npm run bench -- [flags]

  --quick            smaller and shorter, some four minutes: shows that all works
  --only NAMES       some of ${SUITES.map((suite) => suite.name).join(',')}
  --gateways NAMES   some of ${CONTENDERS.map((each) => each.name).join(',')}
  --appendfsync HOW  durability of the benchmark's Redis: ${DURABILITIES.join(', ')} (default: off)
  --json FILE        where the results go (default: bench/results/<date>.json)
  --profile FOLDER   writes a CPU profile of every gateway into it
`;

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      gateways: { type: 'string' },
      appendfsync: { type: 'string', default: 'off' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const suites = chosen(SUITES, values.only);
  const contenders = chosen(CONTENDERS, values.gateways);
  const durability = DURABILITIES.find((each) => each === values.appendfsync);
  if (suites === undefined || contenders === undefined || durability === undefined) {
    process.stderr.write(HELP);
    process.exitCode = 2;
    return;
  }
  const progress = (text: string) => void process.stderr.write(`  ${text}\n`);
  const plan: Plan = {
    quick: values.quick,
    durability,
    profile: values.profile,
    ...(await prepare(contenders, suites, progress)),
    progress,
  };
  const date = new Date().toISOString();
  const file = values.json ?? join(BENCH, 'results', `${date.replaceAll(':', '-')}.json`);
  await measure(suites, plan, date, file);
}

/** Only what a chosen suite starts is made ready. */
async function prepare(
  wanted: readonly Contender[],
  suites: readonly Suite[],
  progress: Plan['progress'],
): Promise<Pick<Plan, 'contenders' | 'leftOut'>> {
  if (!suites.includes(delivery) && !suites.includes(saturation)) {
    return { contenders: wanted, leftOut: [] };
  }
  const contenders: Contender[] = [];
  const leftOut: LeftOut[] = [];
  for (const contender of wanted) {
    const why = await contender.prepare?.(progress);
    if (why === undefined) contenders.push(contender);
    else leftOut.push({ name: contender.name, why });
  }
  return { contenders, leftOut };
}

async function measure(suites: readonly Suite[], plan: Plan, date: string, file: string) {
  takeMeasuredBuild();
  const machine = describeMachine();
  print(describe(machine, plan));
  const results: Record<string, Result['rows']> = {};
  for (const suite of suites) {
    process.stderr.write(`${suite.name}\n`);
    const result = await suite.run(plan);
    results[suite.name] = result.rows;
    print(`\n${result.title}\n\n${formatTable(result.table)}\n`);
    for (const note of result.notes) print(`- ${note}`);
    // Written after each suite: a run that is cut short keeps what it has.
    mkdirSync(dirname(file), { recursive: true });
    const { quick, durability, leftOut } = plan;
    const report = { date, machine, quick, durability, leftOut, results };
    writeFileSync(file, JSON.stringify(report, null, 2));
  }
  print(`\nWritten to ${file}`);
}

/** Those that a flag names, or all; undefined where it names one that there is not. */
function chosen<Named extends { readonly name: string }>(
  all: readonly Named[],
  names: string | undefined,
): readonly Named[] | undefined {
  if (names === undefined) return all;
  const found = names.split(',').map((name) => all.find((each) => each.name === name.trim()));
  return found.includes(undefined) ? undefined : (found as Named[]);
}

function describe(machine: Machine, plan: Plan): string {
  const { cpu, cores, memoryGiB, kernel, node, redis, openFiles, loadBefore } = machine;
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, Redis ${redis}`,
    `append-only file: ${plan.durability}; open files: ${openFiles}; load average before: ${loadBefore}`,
  ].join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
