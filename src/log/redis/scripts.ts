/** The Lua scripts of this folder, ready to be called by their digest. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** A script and the SHA-1 digest that `EVALSHA` knows it by. */
export interface Script {
  readonly source: string;
  readonly digest: string;
}

export const APPEND_SCRIPT = loadScript('append.lua');
export const READ_SCRIPT = loadScript('read.lua');
export const TRIM_SCRIPT = loadScript('trim.lua');
export const MOVED_SCRIPT = loadScript('moved.lua');

/** Makes sure that the server knows every script; it forgets them when it restarts. Fails as commands do. */
export async function sendScripts(redis: Redis): Promise<void> {
  const scripts = [APPEND_SCRIPT, READ_SCRIPT, TRIM_SCRIPT, MOVED_SCRIPT];
  await Promise.all(scripts.map((script) => redis.script('LOAD', script.source)));
}

function loadScript(name: string): Script {
  const source = readFileSync(new URL(name, import.meta.url), 'utf8');
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}
