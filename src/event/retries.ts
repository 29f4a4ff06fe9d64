/** When an event that failed is tried again: exponential back-off, spread by chance. */
import { InvalidInput } from './error.ts';
import { comesLater } from './thrown.ts';

const DEFAULT_ATTEMPTS = 5;
/** In milliseconds, as both of these. */
const DEFAULT_FIRST_DELAY = 200;
const DEFAULT_MAX_DELAY = 60_000;
const LONGEST_DELAY = 86_400_000;

export interface WorkRetries {
  /** How often an event is tried in all before it becomes a dead letter. Default 5. */
  readonly attempts?: number | undefined;
  /** About how long to wait before the second attempt, in milliseconds; doubled each time. Default 200. */
  readonly firstDelay?: number | undefined;
  /** The longest wait, in milliseconds. Default 60,000. */
  readonly maxDelay?: number | undefined;
  /** From 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

export interface RetryPolicy {
  readonly attempts: number;
  /** How long to wait after so many attempts have failed, from 1. */
  delayAfter(failed: number): number;
}

/** @throws InvalidInput naming the field that breaks a rule. */
export function parseRetries(retries: WorkRetries = {}): RetryPolicy {
  const { attempts = DEFAULT_ATTEMPTS, random = Math.random } = retries;
  const { firstDelay = DEFAULT_FIRST_DELAY, maxDelay = DEFAULT_MAX_DELAY } = retries;
  if (!Number.isSafeInteger(attempts) || attempts < 1 || attempts > 1_000) {
    throw new InvalidInput('retries.attempts', 'must be a whole number from 1 to 1,000');
  }
  for (const [field, delay] of Object.entries({ firstDelay, maxDelay })) {
    if (delay >= 0 && delay <= LONGEST_DELAY) continue;
    throw new InvalidInput(`retries.${field}`, 'must be 0 to 86,400,000 milliseconds');
  }
  return {
    attempts,
    delayAfter(failed) {
      const longest = Math.min(maxDelay, firstDelay * 2 ** Math.min(failed - 1, 40));
      // Half of it for certain, so that a failing service gets its rest.
      return longest / 2 + (chanceOf(random) * longest) / 2;
    },
  };
}

/** What is wrong with the chance must not keep an event from being tried again. */
function chanceOf(random: () => number): number {
  try {
    const chance = random();
    return !comesLater(chance) && chance >= 0 && chance <= 1 ? chance : 0;
  } catch {
    return 0;
  }
}
