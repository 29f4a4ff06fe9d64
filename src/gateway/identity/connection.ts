/**
 * How a request reached us, and what a proxy in front says about that. Headers of proxies count
 * only where `trustProxy` says that there is one: anybody can write them.
 */
import { forwardedBy, type TrustProxy } from './forwarded.ts';
import type { RequestHead } from './identity.ts';

/** What a runtime knows of a connection. */
export interface Connection {
  /** The address of the peer: a client, or a proxy. */
  readonly address?: string | undefined;
  /** Whether the peer speaks TLS with us. */
  readonly secure?: boolean | undefined;
  /** What becomes of the answer; left out where the runtime cannot tell. */
  readonly answer?: Answer | undefined;
}

/** An answer that a runtime is about to send. */
export interface Answer {
  /** Calls back when it is sent, or cannot be any more. For one caller. */
  onEnd(callback: () => void): void;
  /** Cuts the connection, and the answer with it. */
  cut(): void;
}

/** A request as the client sent it, as far as can be known. */
export interface Approach {
  /** The address of the client. */
  readonly address: string | undefined;
  /** Where it was sent to, as the origin of a web page would be written; undefined without a host. */
  readonly origin: string | undefined;
  /** All hosts that it names as its destination. */
  readonly hosts: readonly string[];
}

export function approachOf(
  { headers }: RequestHead,
  connection: Connection,
  trustProxy: TrustProxy,
): Approach {
  const told = forwardedBy(headers, trustProxy);
  const host = headers.get('host') ?? undefined;
  const scheme = told.scheme ?? (connection.secure === true ? 'https' : 'http');
  return {
    address: told.address ?? connection.address,
    origin: originAt(scheme, told.host ?? host),
    hosts: [host, told.host].filter((name) => name !== undefined),
  };
}

function originAt(scheme: string, host: string | undefined): string | undefined {
  const url = `${scheme.toLowerCase()}://${host ?? ''}`;
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) return undefined;
  return new URL(url).origin;
}
