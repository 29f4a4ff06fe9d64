/**
 * Which web pages may talk to the gateway. Browsers let any page open a socket to loopback and
 * post to it; what they do tell is the page's origin. Programs send none and are not asked.
 */
import type { MillraceError } from '../event/error.ts';
import { protocolError } from '../protocol/problem.ts';

const LOOPBACK =
  /^https?:\/\/(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/;

/** Decides by origin; `*` in `allowOrigins` allows all. */
export type OriginRule = (origin: string) => boolean;

/** Loopback origins are always allowed, and those in `allowOrigins`, like `https://app.example.com`. */
export function originRule(allowOrigins: readonly string[]): OriginRule {
  if (allowOrigins.includes('*')) return () => true;
  const allowed = new Set(allowOrigins.map(normalized));
  return (origin) => LOOPBACK.test(origin) || allowed.has(normalized(origin));
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
