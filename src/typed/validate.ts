/** Asking a Standard Schema, and saying what it found: where and why, never the value. */
import { InvalidInput } from '../event/error.ts';
import type { StandardIssue, StandardSchema } from './standard-schema.ts';

export type Validated =
  | { readonly ok: true; readonly value: unknown }
  /** `field` is the place in the payload, like `payload.items[0].amount`. */
  | { readonly ok: false; readonly field: string; readonly message: string };

/**
 * @throws InvalidInput when the schema is asynchronous: whether an event may be appended has to be
 *   known before anything else happens
 */
export function validate(schema: StandardSchema, type: string, payload: unknown): Validated {
  const { validate: ask, vendor } = schema['~standard'];
  const result = ask(payload);
  if (result instanceof Promise || 'then' in result) {
    // Nobody waits for it, so its failure must not end the process.
    void Promise.resolve(result).catch(() => {});
    throw new InvalidInput(
      `the schema (${vendor}) of ${type}`,
      'is asynchronous; the schema of an event has to answer at once',
    );
  }
  if (result.issues === undefined) return { ok: true, value: result.value };
  const [first, ...others] = result.issues;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return {
    ok: false,
    field: fieldOf(first),
    message: `${first === undefined ? 'no reason is given' : withoutValue(first, vendor, payload)}${more}`,
  };
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
