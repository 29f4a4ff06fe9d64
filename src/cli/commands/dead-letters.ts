/** `millrace dead-letters`: lists what a group of workers has given up, has it done again, or discards it. */
import { Command, Option } from 'commander';
import { MillraceError } from '../../event/error.ts';
import { ZERO_ID } from '../../event/event-id.ts';
import type { Store } from '../../stores/open.ts';
import {
  type DeadLetter,
  deadLetterLog,
  discardDeadLetter,
  listDeadLetters,
  type Redriving,
  redriveDeadLetter,
} from '../../worker/dead-letters.ts';
import { CommandFailure, EXIT_FAILURE, EXIT_USAGE } from '../failure.ts';
import { readDotEnv } from '../settings/dot-env.ts';
import { optionFor, typedFlags } from '../settings/flags.ts';
import { resolveSetting } from '../settings/resolve-settings.ts';
import { SETTINGS } from '../settings/settings.ts';
import { openChosen } from '../store.ts';

const ACTIONS = ['list', 'redrive', 'discard'] as const;
type Action = (typeof ACTIONS)[number];

/** What has become of an event that cannot be redriven. */
const GONE = {
  trimmed: 'was trimmed',
  deleted: 'was deleted',
  reset: 'was lost by the store',
} as const;

const EXAMPLES = `
  list       one line for each, separated by tabs: dead letter, log, event, type, attempts, error
  redrive    has a worker of the group handle the event once more, before others of its log
             one whose event was trimmed is skipped: it is closed, as nothing is left to handle
  discard    gives it up; where the log is on hold for it, the group goes on behind it

Without --id, redrive and discard take all that are listed.

Examples:
  millrace dead-letters list --group mail --store redis://localhost:6379
  millrace dead-letters redrive --group mail --id 1526919030474-0
  millrace dead-letters list --group mail --json | jq .error

A folder is open in one process at a time: stop the one that has it first. What was redriven is
handled once its worker runs again.
`;

/** The command, for the program to add. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .summary('list, redrive or discard what a group of workers could not handle')
    .description(
      'Lists the events that a group of workers has given up, or says what to do with them.',
    )
    .argument('<action>', ACTIONS.join(', '))
    .addOption(new Option('--group <name>', 'the group of the workers').makeOptionMandatory())
    .addOption(new Option('--id <dead letter>', 'one of those listed; left out: all of them'))
    .addOption(new Option('--json', 'list as JSON, one object a line'))
    .addOption(optionFor(SETTINGS.store, SETTINGS.store.flag))
    .addHelpText('after', EXAMPLES)
    .action(async (action: string, options: Asked, self: Command) => {
      await run(checkAction(action), options, self);
    });
}

interface Asked {
  readonly group: string;
  readonly id?: string;
  readonly json?: true;
}

async function run(action: Action, asked: Asked, command: Command): Promise<void> {
  if (action === 'list' && asked.id !== undefined) {
    throw new CommandFailure('--id is for redrive and discard.', EXIT_USAGE);
  }
  const sources = { flags: typedFlags(command), environment: process.env, dotEnv: readDotEnv() };
  const store = await openChosen(resolveSetting('store', sources));
  try {
    if (action === 'list') await list(store, asked);
    else await change(action, store, asked);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const isUsage = error.code === 'invalid_input';
    throw new CommandFailure(`${capitalized(error.message)}.`, isUsage ? EXIT_USAGE : EXIT_FAILURE);
  } finally {
    await store.close();
  }
}

async function list(store: Store, { group, json }: Asked): Promise<void> {
  const letters = await listDeadLetters(store.log, group);
  if (letters.length === 0) {
    const { version } = await store.log.read(deadLetterLog(group), { limit: 0 });
    const hint = version === ZERO_ID ? ', and never had one: is that its name?' : '.';
    process.stderr.write(`The group ${group} has no dead letters${hint}\n`);
  }
  for (const letter of letters) {
    process.stdout.write(json ? `${JSON.stringify(letter)}\n` : lineOf(letter));
  }
}

async function change(
  action: 'redrive' | 'discard',
  store: Store,
  { group, id, json }: Asked,
): Promise<void> {
  const letters =
    id === undefined ? (await listDeadLetters(store.log, group)).map(({ letter }) => letter) : [id];
  const does: (...asked: Parameters<typeof discardDeadLetter>) => Promise<Redriving> =
    action === 'redrive' ? redriveDeadLetter : discardDeadLetter;
  for (const each of letters) {
    const letter = await does(store, group, each);
    process.stdout.write(json ? `${JSON.stringify(letter)}\n` : lineOf(letter));
    if (letter.skipped === undefined) continue;
    process.stderr.write(
      `${letter.letter} skipped: ${letter.id} of ${letter.log} ${GONE[letter.skipped]}, so nothing is left to handle.\n`,
    );
  }
}

/** What others wrote must not break a line, or move the cursor of a terminal. */
function lineOf({ letter, log, id, type, attempts, error }: DeadLetter): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  const shown = [type, error].map((text) => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' '));
  return `${[letter, log, id, shown[0], attempts, shown[1]].join('\t')}\n`;
}

function checkAction(text: string): Action {
  const action = ACTIONS.find((each) => each === text);
  if (action !== undefined) return action;
  throw new CommandFailure(
    `millrace dead-letters takes one of ${ACTIONS.join(', ')}, not ${JSON.stringify(text)}.`,
    EXIT_USAGE,
  );
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
