/**
 * What of a definition decides about the rows, as a short text: when it is another one, the rows
 * that are there were computed by something else. It sees source text, so not what that calls, and
 * another text also where another build only says the same in other words.
 */
import { textOfWriters } from '../event/senders.ts';
import type { ProjectionDefinition } from './definition.ts';

/** What a fingerprint of the application's own begins with. */
export const OWN = 'own:';

/** Undefined where nobody is to look at it. */
export async function fingerprintOf<State, Payloads extends object>(
  definition: ProjectionDefinition<State, Payloads>,
): Promise<string | undefined> {
  const { fingerprint } = definition;
  if (fingerprint === false) return undefined;
  if (fingerprint !== undefined) return `${OWN}${await hash(fingerprint)}`;
  const { category, events, writers, key, initial, on } = definition;
  const handlers = Object.entries<unknown>(on)
    .filter(([, handler]) => handler !== undefined)
    .map(([type, handler]) => [type, sourceOf(handler)])
    .sort(([one], [other]) => (one! < other! ? -1 : 1));
  const text = [category, events?.readingText, textOfWriters(writers), key && sourceOf(key)];
  return `text:${await hash(JSON.stringify([...text, sourceOf(initial), handlers]))}`;
}

/** The source of a function, without what a formatter or most compilers decide about. */
function sourceOf(code: unknown): string {
  return Function.prototype.toString
    .call(code)
    .replace(/\s+/g, ' ')
    .replaceAll('"', "'")
    .replace(/ ?([^\w$'"`]) ?/g, '$1')
    .replace(/[,;]([)}\]])/g, '$1');
}

/** SHA-256 as 43 characters of `A-Z a-z 0-9 - _`. */
async function hash(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
