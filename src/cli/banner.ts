/** What `millrace serve` prints once it listens. */
import type { Settings } from './settings.ts';

/** What a store tells about itself: see `describe()` of each. */
export interface StoreDescription {
  /** Which and where, without credentials. */
  readonly store: string;
  /** How durable an acknowledged append is, as the store is configured now. */
  readonly durability: string;
  /** What could lose acknowledged events, one sentence each. */
  readonly warnings: readonly string[];
}

/** Lines for a person: where it listens, what to try, and what the store promises. */
export function banner(
  version: string,
  url: string,
  description: StoreDescription,
  settings: Settings,
): string {
  const webSocket = reachable(url).replace(/^http/, 'ws');
  const warnings = [...description.warnings];
  if (settings.insecure) {
    warnings.push(
      '--insecure: nobody is asked who they are; whoever can connect can read and write every log',
    );
  }
  return [
    `Millrace ${version} listens on ${url}`,
    '',
    `  try         ${webSocket}/ws/1   with any WebSocket client: type ping, or event:1`,
    `  store       ${description.store}`,
    `  durability  ${description.durability}`,
    ...warnings.map((warning) => `  WARNING     ${warning}`),
    '',
    '',
  ].join('\n');
}

/** The address of all interfaces is none to connect to. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
