/** `millrace project`: runs the projections of a module over the chosen store. */
import { Command, Option } from 'commander';
import { textOf } from '../../event/thrown.ts';
import { lineOf } from '../../metrics/console-lines.ts';
import type { Notice } from '../../metrics/notice.ts';
import { type Projection, project } from '../../projection/project.ts';
import { CommandFailure, EXIT_FAILURE } from '../failure.ts';
import { readDotEnv } from '../settings/dot-env.ts';
import { optionFor, typedFlags } from '../settings/flags.ts';
import { resolveSetting } from '../settings/resolve-settings.ts';
import { SETTINGS } from '../settings/settings.ts';
import { stopOnSignal } from '../shutdown.ts';
import { openChosen } from '../store.ts';
import { loadDefinitions } from './project-module.ts';
import { showProgress } from './project-progress.ts';

const EXAMPLES = `
The module exports what defineProjection answers, one or several, or arrays of them.

Examples:
  millrace project ./balances.mjs --store redis://localhost:6379
  millrace project ./balances.mjs --store ./data --once

Of several processes with the same projection one works; the others take over when it ends.
A folder is open in one process at a time: where a gateway has it, run the projection in there.
Raise a projection's version to compute it anew: the old rows stay until the new ones are there.
Changed under the same version it does not go on, unless its onChange says how.
SIGTERM or Ctrl-C stops it after the page at hand; started again, it goes on there.
`;

/** The command, for the program to add. */
export function projectCommand(): Command {
  return new Command('project')
    .summary('keep read models up to date with the projections of a module')
    .description('Runs the projections that an ES module exports, and shows how far they are.')
    .argument('<module>', 'a JavaScript file')
    .addOption(optionFor(SETTINGS.store, SETTINGS.store.flag))
    .addOption(new Option('--once', 'end when everything that is there now is counted in'))
    .addHelpText('after', EXAMPLES)
    .action(async (module: string, _options: unknown, self: Command) => {
      await run(module, self);
    });
}

async function run(module: string, command: Command): Promise<void> {
  const flags = typedFlags(command);
  const sources = { flags, environment: process.env, dotEnv: readDotEnv() };
  const choice = resolveSetting('store', sources);
  const definitions = await loadDefinitions(module);
  const store = await openChosen(choice);
  const onNotice = (notice: Notice) => process.stderr.write(`millrace: ${lineOf(notice)}\n`);
  const projections = definitions.map((each) => project(store, { ...each, onNotice }));
  const progress = showProgress(projections, process.stdout, (line) =>
    process.stdout.write(`${line}\n`),
  );
  const stop = async () => {
    await store.close();
    progress.end();
  };
  stopOnSignal(
    process,
    stop,
    () => {},
    (error) => process.stderr.write(`millrace: did not stop cleanly: ${textOf(error)}\n`),
  );
  const ends = projections.map((each) => (flags.once === true ? caughtUp(each) : each.ended()));
  await Promise.race([Promise.all(ends), anyFailed(projections)]);
  await stop();
  const failed = projections.filter((each) => each.status().state === 'failed');
  if (failed.length === 0) return;
  const names = failed.map(({ name }) => name).join(', ');
  throw new CommandFailure(`Not all projections could go on: ${names}.`, EXIT_FAILURE);
}

/** As far as it was when it was called, or ended otherwise; its status tells. */
async function caughtUp(projection: Projection<unknown>): Promise<void> {
  await Promise.race([projection.caughtUp(), projection.ended()]).catch(() => {});
}

async function anyFailed(projections: readonly Projection<unknown>[]): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const each of projections) {
      void each.ended().then(() => {
        if (each.status().state === 'failed') resolve();
      });
    }
  });
}
