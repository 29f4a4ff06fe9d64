/** Asking a Standard Schema, and saying what it found: where and why, never the value. */
import { InvalidInput } from '../event/error.ts';
import { comesLater, kindOf } from '../event/thrown.ts';
import type { StandardIssue, StandardSchema } from './standard-schema.ts';

export type Validated =
  | { readonly ok: true; readonly value: unknown }
  /** `field` is the place in the payload, like `payload.items[0].amount`. */
  | { readonly ok: false; readonly field: string; readonly message: string };

/**
 * @throws InvalidInput when the schema is asynchronous: whether an event may be appended has to be
 *   known before anything else happens; or when it fails at its task
 */
export function validate(schema: StandardSchema, type: string, payload: unknown): Validated {
  const { vendor } = schema['~standard'];
  const broken = (rule: string) => new InvalidInput(`the schema (${vendor}) of ${type}`, rule);
  let found: Validated | 'later' | 'nothing';
  try {
    found = ask(schema, payload);
  } catch (cause) {
    // Not with its message: that may quote the payload.
    throw broken(`failed at a payload (${kindOf(cause)}); the schema itself needs a change`);
  }
  if (found === 'later') {
    throw broken('is asynchronous; the schema of an event has to answer at once');
  }
  if (found === 'nothing') throw broken('must answer an object with a value, or with issues');
  return found;
}

function ask(schema: StandardSchema, payload: unknown): Validated | 'later' | 'nothing' {
  const { validate: check, vendor } = schema['~standard'];
  const result = check(payload);
  if (comesLater(result)) return 'later';
  if (typeof result !== 'object' || result === null) return 'nothing';
  if (!('issues' in result) || result.issues === undefined) {
    return { ok: true, value: (result as { readonly value: unknown }).value };
  }
  const [first, ...others] = result.issues;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const isSaid = typeof first?.message === 'string' && first.message !== '';
  const reason = isSaid ? withoutValue(first, vendor, payload) : 'no reason is given';
  return { ok: false, field: fieldOf(first), message: `${reason}${more}` };
}
function fieldOf(issue: StandardIssue | undefined): string {
  let field = 'payload';
  for (const segment of issue?.path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    field += typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
  }
  return field;
}

/** How libraries tell what they were given. */
const RECEIVED: Readonly<Record<string, RegExp>> = {
  arktype: / \(was [\s\S]*\)$/,
  valibot: / but received [\s\S]*$/,
};

/** The message without the value that it is about: messages end up in logs and in answers. */
function withoutValue({ message, path }: StandardIssue, vendor: string, payload: unknown): string {
  const pattern = RECEIVED[vendor];
  const text = pattern === undefined ? message : message.replace(pattern, '');
  let value = payload;
  for (const segment of path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  }
  if (typeof value === 'string' && value !== '') {
    return text.replaceAll(JSON.stringify(value), '…').replaceAll(value, '…');
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return text;
  return text.replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/gi, (found) =>
    found === String(value) ? '…' : found,
  );
}
