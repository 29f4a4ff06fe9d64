/** How much an acknowledgement is worth, as this Redis is configured. */
import type { Redis } from 'ioredis';
import type { StoreDescription } from '../../../log/store-description.ts';

const SETTINGS = ['appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy', 'save'] as const;

/** Asks Redis for its settings; a server that does not tell (`CONFIG` is forbidden) is described as unknown. */
export async function describeDurability(redis: Redis): Promise<StoreDescription> {
  const { host, port, db, tls, path } = redis.options;
  const place = path ?? `${host ?? 'localhost'}:${port ?? 6379}`;
  const store = `Redis at ${place}${db ? `, database ${db}` : ''}${tls ? ', TLS' : ''}`;
  const settings = await readSettings(redis);
  if (settings === undefined) {
    return {
      store,
      durability: 'unknown: this Redis does not tell its settings',
      warnings: [
        'Redis refuses CONFIG GET, so whether acknowledged events survive a crash is not known; ask for appendonly yes, appendfsync always and maxmemory-policy noeviction',
      ],
    };
  }
  return { store, durability: durabilityOf(settings), warnings: warningsAbout(settings) };
}

type Settings = Record<(typeof SETTINGS)[number], string>;

async function readSettings(redis: Redis): Promise<Settings | undefined> {
  try {
    const pairs = (await redis.config('GET', ...(SETTINGS as unknown as [string]))) as string[];
    const settings: Record<string, string> = {};
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      settings[pairs[index]!] = pairs[index + 1]!;
    }
    return 'appendonly' in settings ? (settings as Settings) : undefined;
  } catch {
    return undefined;
  }
}

function durabilityOf({ appendonly, appendfsync, save }: Settings): string {
  if (appendonly !== 'yes') {
    return save === ''
      ? 'in memory only (appendonly no, no snapshots)'
      : 'snapshots only (appendonly no)';
  }
  switch (appendfsync) {
    case 'always':
      return 'every acknowledged event is on disk (appendonly yes, appendfsync always)';
    case 'everysec':
      return 'on disk within about a second (appendonly yes, appendfsync everysec)';
    default:
      return `on disk when the operating system likes (appendonly yes, appendfsync ${appendfsync})`;
  }
}

function warningsAbout(settings: Settings): string[] {
  const warnings: string[] = [];
  if (settings.appendonly !== 'yes') {
    warnings.push(
      'acknowledged events are lost when Redis stops or crashes; set appendonly yes and appendfsync always',
    );
  } else if (settings.appendfsync !== 'always') {
    warnings.push(
      `events acknowledged shortly before a crash of Redis can be lost (appendfsync ${settings.appendfsync}); set appendfsync always to keep every one`,
    );
  }
  const policy = settings['maxmemory-policy'];
  if (policy !== 'noeviction') {
    const now = settings.maxmemory === '0' ? ' as soon as maxmemory is set' : '';
    warnings.push(
      `Redis may evict whole logs${now} (maxmemory-policy ${policy}); set maxmemory-policy noeviction`,
    );
  }
  return warnings;
}
