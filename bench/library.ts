/**
 * The library as it is shipped, `dist/` from `npm run build`, with the types of its source: what
 * is measured is what users get, not the copy that was compiled along with the benchmark.
 */
const dist = new URL('../../../dist/', import.meta.url);

export async function loadRedisLog() {
  const module = await import(new URL('log/redis/redis-log.js', dist).href);
  return (module as typeof import('../src/log/redis/redis-log.ts')).RedisLog;
}

export async function loadEmbeddedLog() {
  const module = await import(new URL('log/embedded/embedded-log.js', dist).href);
  return (module as typeof import('../src/log/embedded/embedded-log.ts')).EmbeddedLog;
}
