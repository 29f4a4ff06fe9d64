/**
 * What a server must be to keep a store, looked at whenever one is opened: what it says of itself
 * (`INFO`), and what to do where it is something else. Later, a failover may put a replica behind
 * an address for a while; that is waited for, see connection.ts.
 */
import { MillraceError } from '../../../event/error.ts';

const OLDEST_MAJOR_VERSION = 7;

/** The fields of `INFO`. */
export type ServerInfo = ReadonlyMap<string, string>;

export function parseInfo(reply: unknown): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of String(reply).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** @throws MillraceError `unsupported_store` */
export function checkServer(info: ServerInfo): void {
  const why = whySentinel(info) ?? whyCluster(info) ?? whyVersion(info) ?? whyReplica(info);
  if (why !== undefined) throw new MillraceError('unsupported_store', why);
}

/** How far a server is that still loads its data; undefined when it is ready. */
export function loadingProgress(info: ServerInfo): string | undefined {
  if (info.get('loading') !== '1') return undefined;
  const percent = Number.parseFloat(info.get('loading_loaded_perc') ?? '');
  const seconds = Number(info.get('loading_eta_seconds'));
  const rest = Number.isFinite(seconds) ? `, about ${seconds} s to go` : '';
  return Number.isFinite(percent) ? `${Math.floor(percent)} %${rest}` : 'not said how far';
}

/** Until clusters are supported; then this is all that goes. */
function whyCluster(info: ServerInfo): string | undefined {
  if (info.get('cluster_enabled') !== '1') return undefined;
  return 'this is a node of a Redis Cluster, and Millrace does not support clusters yet: an append writes the log and the feed, which lie in different slots there; use a Redis that is no cluster (cluster-enabled no)';
}

function whySentinel(info: ServerInfo): string | undefined {
  if (info.get('redis_mode') !== 'sentinel') return undefined;
  const primary = /(?:^|,)address=([^,]+)/.exec(info.get('master0') ?? '')?.[1];
  const known = primary === undefined ? '' : `; the first one that it watches is ${primary}`;
  return `this is a Redis Sentinel, which keeps no data; give the address of the primary, or one that always leads to it${known}`;
}

function whyVersion(info: ServerInfo): string | undefined {
  const version = info.get('redis_version');
  if (version === undefined)
    return 'what answers there does not say that it is Redis (INFO has no redis_version)';
  if (Number.parseInt(version, 10) >= OLDEST_MAJOR_VERSION) return undefined;
  return `Millrace needs Redis ${OLDEST_MAJOR_VERSION}.0 or later; this server is version ${version}`;
}

function whyReplica(info: ServerInfo): string | undefined {
  if (info.get('role') !== 'slave') return undefined;
  const [host, port] = [info.get('master_host'), info.get('master_port')];
  return `this is a replica, which takes no appends; give the address of its primary (${host}:${port}), or make it one (REPLICAOF NO ONE)`;
}
