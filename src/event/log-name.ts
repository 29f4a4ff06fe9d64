/** Log names: `category:id`, for example `account:1`. */
import { InvalidInput } from './error.ts';

declare const brand: unique symbol;

/** `category:id`; made by {@link parseLogName} or {@link accountLog}. */
export type LogName = string & { readonly [brand]: 'LogName' };

const CATEGORY = /^[A-Za-z0-9_.-]{1,64}$/;
const OWNER = /^[A-Za-z0-9_.-]{1,128}$/;

/**
 * Reads a log name that came from outside.
 * @throws InvalidInput naming `field` when it is not `category:id` in the allowed characters.
 */
export function parseLogName(text: string, field = 'log'): LogName {
  if (isLogName(text)) return text;
  throw new InvalidInput(
    field,
    'must be category:id, like account:1: a category of 1 to 64 and an id of 1 to 128 characters of A-Z a-z 0-9 . _ -',
    'invalid_log',
  );
}

/** Whether `text` is `category:id` in the allowed characters. */
export function isLogName(text: string): text is LogName {
  const colon = text.indexOf(':');
  return colon > 0 && CATEGORY.test(text.slice(0, colon)) && OWNER.test(text.slice(colon + 1));
}

/** Whether `text` can be the category of a log: 1 to 64 characters of `A-Z a-z 0-9 . _ -`. */
export function isCategory(text: string): boolean {
  return CATEGORY.test(text);
}

/** Whether `text` can be an account ID: 1 to 128 characters of `A-Z a-z 0-9 . _ -`. */
export function isAccountId(text: string): boolean {
  return typeof text === 'string' && OWNER.test(text);
}

/**
 * The account ID that a value from outside is: text, or a whole number as JSON holds it. A number
 * beyond 2^53 is none: it has lost digits by the time that it is seen, and names another account.
 */
export function accountIdOf(value: unknown): string | undefined {
  if (typeof value !== 'number')
    return isAccountId(value as string) ? (value as string) : undefined;
  return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
}

/** What {@link accountIdOf} takes. */
export const ACCOUNT_ID_RULE =
  'must be 1 to 128 characters of A-Z a-z 0-9 . _ -, or a whole number from 0 to 2^53 - 1';

/**
 * The log of an account.
 * @throws InvalidInput naming `field` when the ID has other characters than `A-Z a-z 0-9 . _ -`.
 */
export function accountLog(accountId: string, field = 'account ID'): LogName {
  const id = accountIdOf(accountId);
  if (id !== undefined) return `account:${id}` as LogName;
  throw new InvalidInput(
    field,
    'must be 1 to 128 characters of A-Z a-z 0-9 . _ -',
    'invalid_account',
  );
}

/** The category of the logs that hold dead letters; the rest of their name is the group's. */
export const DEAD_LETTER_CATEGORY = 'dead-letter';
const DEAD_LETTER_PREFIX = `${DEAD_LETTER_CATEGORY}:`;

/**
 * Whether a reader of all logs that asked for no category means this one. It does not mean dead
 * letters: they are about events that it reads anyway, and workers that handled them would go round
 * in a circle.
 */
export function isOrdinary(log: string): boolean {
  return !log.startsWith(DEAD_LETTER_PREFIX);
}
