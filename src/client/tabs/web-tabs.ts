/** The tabs of a browser, by Web Locks and a BroadcastChannel. */
import type { SharedUpstream, ShareParts, TabMessage, Tabs } from '../device.ts';
import { randomId } from '../outbox/mark.ts';
import { lockElection } from './election.ts';
import type { SharedMessage } from './messages.ts';
import { Shared } from './shared.ts';

export interface WebTabsParts {
  readonly locks?: LockManager | undefined;
  readonly channel?: ((name: string) => BroadcastChannel) | undefined;
}

/**
 * @param name of what they share: of one gateway and account
 * @returns undefined where the browser has no Web Locks or no BroadcastChannel: each tab is its own then
 */
export function webTabs(name: string, parts: WebTabsParts = {}): ClosingTabs | undefined {
  const { locks = globalThis.navigator?.locks, channel = defaultChannel() } = parts;
  return locks && channel && new WebTabs(name, locks, channel(name));
}

export interface ClosingTabs extends Tabs {
  close(): void;
}

function defaultChannel(): WebTabsParts['channel'] {
  return globalThis.BroadcastChannel && ((name) => new BroadcastChannel(name));
}

class WebTabs implements ClosingTabs {
  readonly #name: string;
  readonly #locks: LockManager;
  readonly #channel: BroadcastChannel;
  #isClosed = false;

  constructor(name: string, locks: LockManager, channel: BroadcastChannel) {
    this.#name = name;
    this.#locks = locks;
    this.#channel = channel;
  }

  post(message: TabMessage): void {
    if (!this.#isClosed) this.#channel.postMessage(message);
  }

  listen(heard: (message: TabMessage) => void): () => void {
    const take = ({ data }: MessageEvent) => heard(data as TabMessage);
    this.#channel.addEventListener('message', take);
    return () => this.#channel.removeEventListener('message', take);
  }

  share(parts: ShareParts): SharedUpstream {
    const tab = randomId();
    const room = {
      tab,
      election: lockElection(this.#locks, this.#name, tab),
      post: (message: SharedMessage) => this.post(message),
      // Tabs of one origin are of one application.
      listen: (heard: (message: SharedMessage) => void) =>
        this.listen((message) => heard(message as unknown as SharedMessage)),
    };
    return new Shared(room, parts);
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }
}
