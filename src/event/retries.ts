/**
 * Trying again: how often, and how long to wait in between. The one way for commands, projections,
 * reactions, workers and whoever asks a store again; what is tried, and whether that may be done
 * twice, is theirs.
 *
 *   after the nth failure   min(firstDelay · 2ⁿ⁻¹, maxDelay), a part of which is left to chance
 *
 * How much is left to chance depends on who is in the way. Where others want the same, all of it
 * parts them best (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/); where
 * a service fails, half of it for certain gives that its rest.
 */
import { InvalidInput } from './error.ts';
import { comesLater } from './thrown.ts';

const LONGEST_DELAY = 86_400_000;

/** How often something is tried, and how long to wait in between; times in milliseconds. */
export interface Retries {
  /** How many times in all, the first included; a whole number from 1. */
  readonly attempts?: number | undefined;
  /** About how long to wait before the second attempt; doubled each time. */
  readonly firstDelay?: number | undefined;
  /** The longest wait. */
  readonly maxDelay?: number | undefined;
  /** From 0 up to, but not including, 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** How long to wait, in milliseconds. */
export interface Delays {
  readonly firstDelay: number;
  readonly maxDelay: number;
  /** Which part of a wait is not left to chance, from 0 to 1. */
  readonly certain: number;
}

export interface RetryPolicy {
  readonly attempts: number;
  /** How long to wait after so many attempts have failed, from 1. */
  delayAfter(failed: number): number;
}

/**
 * @param defaults what counts where nothing else is said
 * @throws InvalidInput naming the field that breaks a rule
 */
export function parseRetries(
  retries: Retries | undefined,
  defaults: Delays & { readonly attempts: number },
): RetryPolicy {
  if (typeof (retries ?? {}) !== 'object') {
    throw new InvalidInput('retries', 'must be an object, as in { attempts: 5, firstDelay: 100 }');
  }
  const { attempts = defaults.attempts, random } = retries ?? {};
  const { firstDelay = defaults.firstDelay, maxDelay = defaults.maxDelay } = retries ?? {};
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new InvalidInput('retries.attempts', 'must be a whole number from 1');
  }
  for (const [field, delay] of Object.entries({ firstDelay, maxDelay })) {
    if (delay >= 0 && delay <= LONGEST_DELAY) continue;
    throw new InvalidInput(`retries.${field}`, 'must be 0 to 86,400,000 milliseconds');
  }
  const delays = { firstDelay, maxDelay, certain: defaults.certain };
  return { attempts, delayAfter: (failed) => delayAfter(failed, delays, random) };
}

/**
 * Milliseconds before the next attempt.
 * @param failed how many attempts have failed, from 1
 */
export function delayAfter(
  failed: number,
  { firstDelay, maxDelay, certain }: Delays,
  random: () => number = Math.random,
): number {
  const longest = Math.min(maxDelay, firstDelay * 2 ** Math.min(failed - 1, 40));
  return longest * (certain + (1 - certain) * chanceOf(random));
}

/** What is wrong with the chance must not keep anything from being tried again. */
function chanceOf(random: () => number): number {
  try {
    const chance = random();
    return !comesLater(chance) && chance >= 0 && chance <= 1 ? chance : 0;
  } catch {
    return 0;
  }
}
