#!/usr/bin/env node
/** The `millrace` program: finds the command, and turns its failures into messages and exit codes. */
import { Command, CommanderError } from 'commander';
import { asError } from '../event/thrown.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { projectCommand } from './commands/project.ts';
import { serveCommand } from './commands/serve.ts';
import { CommandFailure, EXIT_FAILURE, EXIT_USAGE } from './failure.ts';
import { packageVersion } from './version.ts';

const program = new Command('millrace')
  .description('An append-only event log for every account, delivered live.')
  .version(packageVersion(), '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this page')
  .helpCommand(false)
  .configureHelp({ showGlobalOptions: false })
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'millrace:')) })
  .exitOverride()
  .addHelpText('after', '\nmillrace serve --help lists all its settings, with examples.');
// Commander hands these on only to commands that it makes itself.
for (const command of [serveCommand(), projectCommand(), deadLettersCommand()]) {
  program.addCommand(
    command
      .copyInheritedSettings(program)
      .helpOption('-h, --help', 'print this page')
      .showHelpAfterError(`millrace ${command.name()} --help lists what there is.`),
  );
}

// Whoever read our output may leave before its end, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeFor(error);
  // Nothing is left to do, whatever timers a store that did not open still has.
  if (error instanceof CommandFailure) process.exit();
}

function exitCodeFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (error instanceof CommandFailure) {
    process.stderr.write(`millrace: ${error.message}\n`);
    return error.exitCode;
  }
  // A bug of ours: here, and only here, the stack is of use.
  process.stderr.write(`millrace: ${asError(error).stack}\n`);
  return EXIT_FAILURE;
}
