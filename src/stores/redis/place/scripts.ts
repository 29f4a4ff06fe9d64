/** The Lua scripts of the log and the feed, ready to be called by their digest. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** A script and the SHA-1 digest that `EVALSHA` knows it by. */
export interface Script {
  readonly source: string;
  readonly digest: string;
}

export const APPEND_SCRIPT = loadScript(new URL('../log/append.lua', import.meta.url));
export const READ_SCRIPT = loadScript(new URL('../log/read.lua', import.meta.url));
export const TRIM_SCRIPT = loadScript(new URL('../log/trim.lua', import.meta.url));
export const MOVED_SCRIPT = loadScript(new URL('../log/moved.lua', import.meta.url));
export const FEED_SCRIPT = loadScript(new URL('../feed/feed.lua', import.meta.url));
export const INDEX_SCRIPT = loadScript(new URL('../feed/index.lua', import.meta.url));

const SCRIPTS = [
  ...[APPEND_SCRIPT, READ_SCRIPT, TRIM_SCRIPT, MOVED_SCRIPT],
  ...[FEED_SCRIPT, INDEX_SCRIPT],
];

/** Makes sure that the server knows every script; it forgets them when it restarts. Fails as commands do. */
export async function sendScripts(redis: Redis): Promise<void> {
  await Promise.all(SCRIPTS.map((script) => redis.script('LOAD', script.source)));
}

/** Reads a script from its file. */
export function loadScript(location: URL): Script {
  const source = readFileSync(location, 'utf8');
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}
