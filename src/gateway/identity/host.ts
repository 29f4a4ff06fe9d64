/**
 * Which names an open gateway answers to. A page whose name was made to point to loopback (DNS
 * rebinding) is of one origin with the gateway, so its browser sends plain reads without `Origin`;
 * what it cannot help telling is the name, in `Host`. An address of digits is no name.
 */
import type { MillraceError } from '../../event/error.ts';
import { protocolError } from '../../protocol/problem.ts';

const LOOPBACK_NAME = /^(.*\.)?localhost\.?$/;
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/** Decides by the value of `Host`. */
export type HostRule = (host: string) => boolean;

/** `allowHosts` are names without port, like `millrace.internal`; `*` allows all. */
export function hostRule(allowHosts: readonly string[]): HostRule {
  if (allowHosts.includes('*')) return () => true;
  const allowed = new Set(allowHosts.map((name) => name.toLowerCase()));
  return (host) => {
    const name = nameIn(host);
    if (name === undefined) return false;
    return ADDRESS.test(name) || LOOPBACK_NAME.test(name) || allowed.has(name);
  };
}

export function forbiddenHost(host: string): MillraceError {
  return protocolError(
    'forbidden_host',
    `a gateway that asks nobody who they are does not answer to the name ${host.slice(0, 200)}; allow it with --allow-host`,
  );
}

function nameIn(host: string): string | undefined {
  const url = `http://${host}`;
  if (/[/?#@\\]/.test(host) || !URL.canParse(url)) return undefined;
  return new URL(url).hostname;
}
