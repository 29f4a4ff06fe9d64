/**
 * Which web pages may talk to the gateway. Browsers let any page open a socket to loopback and
 * post to it, and send cookies along; what they do tell is the page's origin. Programs send none
 * and are not asked.
 */
import type { MillraceError } from '../../event/error.ts';
import { protocolError } from '../../protocol/problem.ts';

const LOOPBACK =
  /^https?:\/\/(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/;

/** `named`: the origin itself is allowed. `anyone`: all are, so its cookies prove nothing. */
export type OriginStanding = 'named' | 'anyone' | 'foreign';

/** Decides by the page's origin, and by the one that its request was sent to. */
export type OriginRule = (origin: string, destination?: string) => OriginStanding;

/**
 * Allowed are the gateway's own origin and those in `allowOrigins`, like `https://app.example.com`;
 * `*` stands for all. `loopback`: those of this machine too.
 */
export function originRule(
  allowOrigins: readonly string[],
  { loopback }: { readonly loopback: boolean },
): OriginRule {
  const allowed = new Set(allowOrigins.map(normalized));
  return (origin, destination) => {
    if (origin === destination || allowed.has(normalized(origin))) return 'named';
    if (loopback && LOOPBACK.test(origin)) return 'named';
    return allowed.has('*') ? 'anyone' : 'foreign';
  };
}

export function forbiddenOrigin(origin: string): MillraceError {
  return protocolError(
    'forbidden_origin',
    `pages of ${origin.slice(0, 200)} may not use this gateway; allow them with --allow-origin`,
  );
}

function normalized(origin: string): string {
  return origin.toLowerCase().replace(/\/$/, '');
}
