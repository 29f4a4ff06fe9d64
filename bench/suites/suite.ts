/** What every suite gets, and what it gives back. */
import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import type { Contender } from '../gateway-process.ts';
import type { Durability } from '../redis-process.ts';
import type { Row } from '../report.ts';

export interface Plan {
  /** Smaller and shorter: shows that all works, not how fast it is. */
  readonly quick: boolean;
  /** How durable the benchmark's Redis servers are. */
  readonly durability: Durability;
  /** A folder for CPU profiles of the gateways. */
  readonly profile: string | undefined;
  readonly contenders: readonly Contender[];
  /** Gateways that were asked for and cannot be measured here. */
  readonly leftOut: readonly LeftOut[];
  /** Tells what goes on. */
  progress(text: string): void;
}

export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/** One table: the raw numbers for JSON, and how they are printed. */
export interface Result {
  readonly title: string;
  readonly rows: readonly object[];
  readonly table: readonly Row[];
  readonly notes: readonly string[];
}

export interface Suite {
  readonly name: string;
  run(plan: Plan): Promise<Result>;
}

export function startLoad(): Child {
  return new Child(fileURLToPath(new URL('../load/load-process.js', import.meta.url)));
}

/** What stands in a table of gateways for one that was not measured. */
export function leftOutRow({ name, why }: LeftOut): Row {
  return { gateway: `${name}: left out, ${why}` };
}

/** How the gateways that are not ours are set up. */
export function rivalNotes(contenders: readonly Contender[]): string[] {
  return contenders.flatMap(({ name, setUp }) =>
    setUp === undefined ? [] : [`${name}: ${setUp}`],
  );
}
