/** Which store `--store` and `REDIS_ENDPOINT` mean. */
import type { ValueKind } from './values.ts';

/** A store that was chosen, not yet opened. */
export type StoreChoice =
  | { readonly kind: 'embedded'; readonly folder: string }
  | { readonly kind: 'redis'; readonly url: string };

const REDIS_RULE = 'redis://[user:password@]host[:port][/database number], or rediss:// for TLS';

/** `REDIS_ENDPOINT`: Redis, nothing else. */
export const redisUrl: ValueKind<StoreChoice> = {
  takes: `a URL like ${REDIS_RULE}`,
  parse: (text) => (isRedisUrl(text) ? { kind: 'redis', url: text } : undefined),
};

/** `--store`: what looks like a URL must be one of Redis, all else is a folder. */
export const storeChoice: ValueKind<StoreChoice> = {
  takes: `a folder, or a URL like ${REDIS_RULE}`,
  parse(text) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return redisUrl.parse(text);
    return text.includes('\0') ? undefined : { kind: 'embedded', folder: text };
  },
};

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname } = new URL(text);
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d*)?$/.test(pathname);
}
