/**
 * States are shared: between the commands of a log, and `initial` between all logs. So `evolve` and
 * `decide` must not change the state that they are given. In development, which is wherever
 * `NODE_ENV` is not `production`, states are frozen, so that who does so is told at once.
 */
import { copyOf } from '../event/copy.ts';
import { deepFreeze } from '../event/frozen.ts';
import { isA, textOf } from '../event/thrown.ts';

/** How the engine says that something is frozen, and how {@link deepFreeze} says it. */
const FROZEN = /read only|not extensible|Cannot (?:add|delete|define|redefine|change) /;

export function isDevelopment(): boolean {
  try {
    // Written out, as this is what bundlers for browsers look for.
    return process.env.NODE_ENV !== 'production';
  } catch {
    // A browser, and nobody has put anything in its place.
    return true;
  }
}

/** A state that is going to be kept. */
export function kept<State>(state: State): State {
  return isDevelopment() ? deepFreeze(state) : state;
}

/** The state of a log without events: each log has its own. */
export function ownInitial<State>(initial: State): State {
  return kept(copyOf(initial));
}

/**
 * What to throw instead of what `evolve` or `decide` has thrown.
 * @param what they are called, as in "evolve of decider account"
 */
export function explained(error: unknown, what: string): unknown {
  if (!isA(error, TypeError) || !FROZEN.test(textOf(error))) return error;
  return new TypeError(
    `${what} changes the state that it is given, which others have too (${textOf(error)}); it has to leave it as it is, and answer a new one`,
    { cause: error },
  );
}
