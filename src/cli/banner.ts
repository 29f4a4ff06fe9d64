/** What `millrace serve` prints once it listens. */
import type { StoreDescription } from '../log/store-description.ts';
import { describeAccess } from './settings/authentication.ts';
import { isLoopback } from './settings/check-access.ts';
import type { Settings } from './settings/settings.ts';

/** Lines for a person: where it listens, what to try, and what the store promises. */
export function banner(
  version: string,
  url: string,
  description: StoreDescription,
  settings: Settings,
): string {
  const webSocket = reachable(url).replace(/^http/, 'ws');
  const attempt =
    settings.auth === 'none'
      ? `${webSocket}/ws/1   with any WebSocket client: type ping, or event:1`
      : `${webSocket}/ws   with a WebSocket client that says who you are`;
  return [
    `Millrace ${version} listens on ${url}`,
    '',
    `  try         ${attempt}`,
    `  access      ${describeAccess(settings)}`,
    `  store       ${description.store}`,
    `  durability  ${description.durability}`,
    ...warnings(description, settings).map((warning) => `  WARNING     ${warning}`),
    '',
    '',
  ].join('\n');
}

function warnings(description: StoreDescription, settings: Settings): readonly string[] {
  const { auth, insecure, host, trustProxy } = settings;
  if (insecure) {
    return [
      ...description.warnings,
      '--insecure: nobody is asked who they are; whoever can connect can read and write every log',
    ];
  }
  if (auth !== 'none' && !trustProxy && !isLoopback(host)) {
    return [
      ...description.warnings,
      'what proves who somebody is crosses the network in clear text; put a proxy with TLS in front, and say --trust-proxy',
    ];
  }
  return description.warnings;
}

/** The address of all interfaces is none to connect to. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
