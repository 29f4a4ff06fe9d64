/**
 * The keys of Millrace's own records; those of applications are whatever they say.
 *
 *   lease:{name}              the token of the holder, with the lease's time to live
 *   {lease:{name}}:token      the last token given out; stays for ever
 *   {lease:{name}}:…          what is written under the lease as a fence
 *
 * From the second on, the outer braces are literal: the hash tag that puts all of them into one slot
 * of a Redis Cluster, since a fence is looked at in the same step in which what it guards is written.
 */

export function leaseKey(name: string): string {
  return `lease:${name}`;
}

export function leaseTokenKey(name: string): string {
  return guardedKey(name, 'token');
}

/** A record that whoever holds the lease writes, with the lease as its fence. */
export function guardedKey(name: string, what: string): string {
  return `{lease:${name}}:${what}`;
}
