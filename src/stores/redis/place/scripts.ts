/**
 * Lua scripts: how they are loaded, and the one way to call them.
 *
 * Each names its keys to the client, which can thus send it to where these are. What several have
 * alike is a part: a file of local functions that is put before them, as it stands.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, type Redis } from 'ioredis';
import { failureOf } from './connection.ts';

/** A script and the SHA-1 digest that `EVALSHA` knows it by. */
export interface Script {
  readonly source: string;
  readonly digest: string;
  readonly keys: KeyCount;
}

/** How many keys a script takes; with `…`, so many or more. A test holds it against the script's head. */
export type KeyCount = number | `${number}…`;

/** `isBelow(a, b)`: whether event ID a comes before b. */
export const EVENT_IDS = new URL('event-ids.lua', import.meta.url);
/** `readClock()`: the milliseconds of Redis' own clock. */
export const CLOCK = new URL('clock.lua', import.meta.url);
/** `streamFacts(key)`: what `XINFO STREAM` says, by name. */
export const STREAM_FACTS = new URL('stream-facts.lua', import.meta.url);

/**
 * Reads a script from its file.
 * @param parts what is put before it
 */
export function loadScript(location: URL, keys: KeyCount, ...parts: readonly URL[]): Script {
  const text = readFileSync(location, 'utf8');
  // What Redis must know of a script before it runs is its first line.
  const flags = /^#!.*\n/.exec(text)?.[0] ?? '';
  const joined = parts.map((part) => readFileSync(part, 'utf8')).join('');
  const source = flags + joined + text.slice(flags.length);
  return { source, digest: createHash('sha1').update(source).digest('hex'), keys };
}

/** Makes sure that the server knows the scripts; it forgets them when it restarts. Fails as commands do. */
export async function sendScripts(redis: Redis, scripts: readonly Script[]): Promise<void> {
  await Promise.all(scripts.map(({ source }) => redis.script('LOAD', source)));
}

/** Calls a script that may be called again. */
export type CallScript = (
  script: Script,
  keys: readonly string[],
  values: readonly (string | number)[],
) => Promise<unknown>;

/**
 * Calls a script by its digest, and with its text where the server does not know it: nothing ran
 * then. Fails as commands do; see `failureOf`.
 * @param reply whether strings of the answer come as text, or as raw bytes
 */
export async function callScript(
  redis: Pick<Redis, 'sendCommand'>,
  { digest, source }: Script,
  keys: readonly string[],
  values: readonly (string | number)[],
  reply: 'text' | 'bytes' = 'text',
): Promise<unknown> {
  const options = { replyEncoding: reply === 'text' ? 'utf8' : null } as const;
  const rest = [keys.length, ...keys, ...values];
  try {
    return await redis.sendCommand(new Command('evalsha', [digest, ...rest], options));
  } catch (error) {
    if (failureOf(error) !== 'no_script') throw error;
  }
  return redis.sendCommand(new Command('eval', [source, ...rest], options));
}
