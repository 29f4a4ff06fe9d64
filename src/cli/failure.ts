/** How a command ends when it cannot do what it was asked: one clear message, and a number. */

/** Something about the flags, the environment or `.env` is wrong: exit code 2. */
export const EXIT_USAGE = 2;
/** It was asked for properly and did not work: exit code 1. */
export const EXIT_FAILURE = 1;

/** Ends the command with `message` on standard error, without a stack trace. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_FAILURE, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** A value that breaks the rule of the setting it is for. `takes` says the rule. */
export class BadValue extends CommandFailure {
  constructor(setting: string, takes: string, text: string) {
    super(`${setting} takes ${takes}, not ${JSON.stringify(withoutCredentials(text))}`, EXIT_USAGE);
  }
}

/** A URL that may be shown: user, password and query are left out, even of one that is malformed. */
export function withoutCredentials(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/*)(?:.*@)?([^?]*).*$/is, '$1$2');
}
