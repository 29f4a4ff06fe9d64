/** The library as it is shipped, with the types of its source. */
import { measuredFile } from './measured-build.ts';

export async function loadRedisLog() {
  const module = await import(measuredFile('stores/redis/log/redis-log.js').href);
  return (module as typeof import('../src/stores/redis/log/redis-log.ts')).RedisLog;
}

export async function loadEmbeddedLog() {
  const module = await import(measuredFile('stores/embedded/log/embedded-log.js').href);
  return (module as typeof import('../src/stores/embedded/log/embedded-log.ts')).EmbeddedLog;
}

export async function loadMillrace() {
  return (await import(measuredFile('index.js').href)) as typeof import('../src/index.ts');
}

export async function loadClient() {
  const module = await import(measuredFile('client/client.js').href);
  return module as typeof import('../src/client/client.ts');
}

export async function loadClientIndexedDb() {
  const module = await import(measuredFile('client/indexeddb/indexeddb.js').href);
  return module as typeof import('../src/client/indexeddb/indexeddb.ts');
}
