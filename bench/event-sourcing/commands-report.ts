/** The commands suite in words and tables. */
import { median } from '../latency.ts';
import { number, percent, type Row, ratio } from '../report.ts';
import type { CommandsResult } from './commands-process.ts';

/** What one contestant did with so many logs and so many in flight. */
export interface CommandsCell extends CommandsResult {
  readonly contestant: string;
  readonly logs: number;
  readonly inFlight: number;
  readonly round: number;
}

const IN_FLIGHT = [1, 50, 500];

export function commandsTable(
  cells: readonly CommandsCell[],
  withoutEmmett: string | undefined,
): Row[] {
  const rows = groups(cells).map(({ contestant, logs, cells: own }): Row => {
    const counts = IN_FLIGHT.map((inFlight) => {
      return [`${inFlight} in flight`, rateOf(own, inFlight)] as const;
    });
    const single = own.filter(({ inFlight }) => inFlight === 1);
    return {
      contestant,
      logs: logs.toLocaleString('en-US'),
      ...Object.fromEntries(counts),
      'p50 ms at 1': single.length === 0 ? '–' : number(median(single.map(({ p50 }) => p50))),
      'µs client': number(cpuAtMost(own)),
      durability: own[0]!.durability.replace(/ \(.*/, ''),
    };
  });
  if (withoutEmmett !== undefined) rows.push({ contestant: `emmett: ${withoutEmmett}` });
  return rows;
}

/** Best against best, as the aim is put: with however many in flight does best. */
export function comparisons(cells: readonly CommandsCell[]): string[] {
  return [1, 1_000].flatMap((logs) => {
    const own = cells.filter((cell) => cell.logs === logs);
    const handler = best(own, (name) => /^emmett.*store/.test(name));
    const anyhow = best(own, (name) => name.startsWith('emmett'));
    if (handler === undefined || anyhow === undefined) return [];
    return ['embedded', 'Redis'].flatMap((store) => {
      const ours = best(own, (name) => name.startsWith('millrace') && name.endsWith(store));
      if (ours === undefined) return [];
      return [
        `${howMany(logs)}, ${store}: ours at best ${number(ours)}, ` +
          `${ratio(ours, handler)} Emmett's command handler at best (${number(handler)}), ` +
          `${ratio(ours, anyhow)} the fastest way round it (${number(anyhow)})`,
      ];
    });
  });
}

/** What went wrong, in the contestants' own words. */
export function failures(cells: readonly CommandsCell[]): string[] {
  return cells.filter(hasFailed).map((cell) => {
    const errors = Object.entries(cell.failed).map(([name, count]) => `${count} × ${name}`);
    if (cell.unanswered > 0) errors.push(`${cell.unanswered} without an answer`);
    const where = howMany(cell.logs);
    return `${cell.contestant}, ${where}, ${cell.inFlight} in flight: ${cell.done} done; ${errors.join('; ')}`;
  });
}

/** CPU time per command, with as many in flight as it was measured with and got done. */
function cpuAtMost(cells: readonly CommandsCell[]): number {
  const working = cells.filter(({ done }) => done > 0);
  const most = Math.max(...working.map(({ inFlight }) => inFlight));
  const found = working.filter(({ inFlight }) => inFlight === most);
  return found.length === 0 ? Number.NaN : median(found.map(({ clientCpu }) => clientCpu));
}

function rateOf(cells: readonly CommandsCell[], inFlight: number): string {
  const found = cells.filter((cell) => cell.inFlight === inFlight);
  if (found.length === 0) return '–';
  const rate = number(median(found.map((cell) => cell.rate)));
  const failed = sum(found.map((cell) => cell.unanswered + sum(Object.values(cell.failed))));
  if (failed === 0) return rate;
  return `${rate} (${percent((100 * failed) / (failed + sum(found.map((cell) => cell.done))))} failed)`;
}

function groups(cells: readonly CommandsCell[]) {
  const found = new Map<string, CommandsCell[]>();
  for (const cell of cells) {
    const key = `${cell.logs} ${cell.contestant}`;
    found.set(key, [...(found.get(key) ?? []), cell]);
  }
  return [...found.values()].map((own) => {
    return { contestant: own[0]!.contestant, logs: own[0]!.logs, cells: own };
  });
}

/** The best median of rounds among those cells. */
function best(
  cells: readonly CommandsCell[],
  chosen: (contestant: string) => boolean,
): number | undefined {
  const own = cells.filter((cell) => chosen(cell.contestant));
  const rates = groups(own).flatMap((group) => {
    return IN_FLIGHT.map((inFlight) => {
      const found = group.cells.filter((cell) => cell.inFlight === inFlight);
      return median(found.map((cell) => cell.rate));
    });
  });
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function howMany(logs: number): string {
  return logs === 1 ? 'one log' : `${logs.toLocaleString('en-US')} logs`;
}

function hasFailed({ failed, unanswered }: CommandsCell): boolean {
  return unanswered > 0 || Object.keys(failed).length > 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
