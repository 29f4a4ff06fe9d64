/**
 * Whether two commands are the same, by a text that is the same for both: JSON with its members in
 * order, and what JSON has no words for written out. It is only ever compared, never read.
 */
import { Buffer } from 'node:buffer';
import { InvalidInput } from '../../event/error.ts';
import { kindOf } from '../../event/thrown.ts';
import { textHash } from './text-hash.ts';

/** 132 bits: nobody finds two commands with the same. */
const HASH_LENGTH = 22;

/**
 * A short name for what a command says, and to which decider.
 * @throws InvalidInput when it refers to itself, or something in it throws when it is looked at
 */
export function commandHash(decider: string, command: unknown): string {
  try {
    return textHash(`${decider}\n${canonicalText(command)}`).slice(0, HASH_LENGTH);
  } catch (cause) {
    throw new InvalidInput(
      'command',
      `must be a value that can be written down, to be handled under a commandId: no circles, and nothing that throws when it is looked at (${kindOf(cause)})`,
    );
  }
}

/** Members that are `undefined`, functions or symbols are left out, as by JSON. */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      return value === null ? 'null' : textOfObject(value);
    case 'number':
      return value === 0 ? '0' : String(value);
    case 'boolean':
      return String(value);
    default:
      return 'undefined';
  }
}

function textOfObject(value: object): string {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return `bytes(${Buffer.from(buffer, byteOffset, byteLength).toString('base64')})`;
  }
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (value instanceof Map) return `map(${sorted(value.entries())})`;
  if (value instanceof Set) return `set(${sorted(value.values())})`;
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return canonicalText(toJSON.call(value, ''));
  const members = Object.entries(value)
    .map(([name, member]) => [name, canonicalText(member)] as const)
    .filter(([, text]) => text !== 'undefined')
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${members.sort().join()}}`;
}

function sorted(items: Iterable<unknown>): string {
  return Array.from(items, canonicalText).sort().join();
}
