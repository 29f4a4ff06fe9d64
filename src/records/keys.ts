/**
 * The keys of Millrace's own records; those of applications are whatever they say.
 *
 *   lease:{name}              the token of the holder, with the lease's time to live
 *   {lease:{name}}:token      the last token given out; stays for ever
 *
 * In the second, the outer braces are literal: the hash tag that puts both into one slot of a
 * Redis Cluster.
 */

export function leaseKey(name: string): string {
  return `lease:${name}`;
}

export function leaseTokenKey(name: string): string {
  return `{lease:${name}}:token`;
}
