/**
 * Looks into JSON that came over the wire. What a gateway reads refuses members that it does not
 * know; what a client reads passes over them, so that a gateway may say more one day.
 */
import { InvalidInput, MillraceError } from '../event/error.ts';
import { type EventId, isEventId } from '../event/event-id.ts';
import { type LogName, parseLogName } from '../event/log-name.ts';

/** An object as JSON.parse makes it. */
export type JsonObject = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * An unknown field is refused, not skipped: whoever writes `expcted` must not lose the check.
 * @throws InvalidInput naming the field
 */
export function refuseUnknown(
  value: JsonObject,
  known: readonly string[],
  prefix: string,
  code: string,
): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
    throw new InvalidInput(
      `${prefix}${shown}`,
      `is not known; known are ${known.join(', ')}`,
      code,
    );
  }
}

/**
 * What a client got, as the object that it must be.
 * @param what as in "the page"
 * @throws MillraceError `invalid_json`; InvalidInput
 */
export function objectIn(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MillraceError('invalid_json', `${what} must be a JSON object`);
  }
  return asObject(value, what);
}

/** @throws InvalidInput naming the field */
export function asObject(value: unknown, field: string): JsonObject {
  if (isObject(value)) return value;
  throw new InvalidInput(field, 'must be a JSON object');
}

/** @throws InvalidInput naming the field */
export function asArray(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new InvalidInput(field, 'must be an array');
}

/** @throws InvalidInput naming the field */
export function asText(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw new InvalidInput(field, 'must be a string');
}

/** @throws InvalidInput naming the field */
export function asFlag(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidInput(field, 'must be true or false');
}

/** @throws InvalidInput naming the field */
export function asCount(value: unknown, field: string): number {
  if (isCount(value)) return value;
  throw new InvalidInput(field, 'must be a whole number from 0');
}

/** @throws InvalidInput naming the field */
export function asEventId(value: unknown, field: string): EventId {
  if (typeof value === 'string' && isEventId(value)) return value;
  throw new InvalidInput(field, 'must be an event ID');
}

/** @throws InvalidInput naming the field */
export function asLogName(value: unknown, field: string): LogName {
  return parseLogName(asText(value, field), field);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
