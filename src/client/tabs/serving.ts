/** What the leader does for other tabs: reads their logs for them, by its own channels, and asks for pages. */
import type { StoredEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Failure } from '../../protocol/problem.ts';
import { Refused } from '../errors.ts';
import type { Channels } from '../logs/consumer.ts';
import type { ClientStart, GatewayLink } from '../upstream.ts';
import type { Election } from './election.ts';
import { partsOf, type SharedMessage, type Told } from './messages.ts';

type Asked<Kind> = Extract<SharedMessage, { readonly kind: Kind }>;

export interface ServingParts {
  readonly channels: Channels;
  readonly election: Pick<Election, 'whenGone'>;
  readonly link: Pick<GatewayLink, 'page'>;
  readonly post: (message: SharedMessage) => void;
}

interface Wish {
  readonly run: number;
  close: () => void;
  /** How much was told. */
  told: number;
  /** How much had been told when the tab asked last: what it still lacks of that is lost. */
  due: number;
}

interface Tab {
  readonly logs: Map<LogName, Wish>;
  readonly unwatch: () => void;
}

export class Serving {
  readonly #parts: ServingParts;
  readonly #tabs = new Map<string, Tab>();

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  follow({ from, log, start, run }: Asked<'follow'>): void {
    const { channels } = this.#parts;
    const { logs } = this.#tab(from);
    logs.get(log)?.close();
    const wish: Wish = { run, close: () => {}, told: 0, due: 0 };
    const tell = (told: Told) => {
      this.#parts.post({ kind: 'told', to: from, log, run, n: wish.told, told });
      wish.told += 1;
    };
    wish.close = channels.open(log, start, {
      events: (events: readonly StoredEvent[]) => tell({ is: 'events', events: partsOf(events) }),
      live: (at: EventId | undefined) => tell({ is: 'live', at }),
      trimmed: (at: EventId) => tell({ is: 'trimmed', at }),
      reset: (at: EventId) => tell({ is: 'reset', at }),
      failed: (failure: Failure) => tell({ is: 'failed', failure }),
    });
    logs.set(log, wish);
  }

  /** Messages may have been lost, also the last one, which nothing else would show. */
  compare({ from, logs }: Asked<'ping'>): void {
    for (const [log, run, told] of logs) {
      const wish = this.#tabs.get(from)?.logs.get(log);
      if (wish?.run !== run || told < wish.due) {
        this.#parts.post({ kind: 'again', to: from, log, run });
      } else {
        wish.due = wish.told;
      }
    }
  }

  unfollow(from: string, log: LogName): void {
    const logs = this.#tabs.get(from)?.logs;
    logs?.get(log)?.close();
    logs?.delete(log);
  }

  async page({ from: to, ref, log, start, limit }: Asked<'page'>): Promise<void> {
    const { link, post } = this.#parts;
    try {
      const page = await link.page(log, start as ClientStart, limit);
      post({ kind: 'paged', to, ref, page: { ...page, events: partsOf(page.events) } });
    } catch (error) {
      if (error instanceof Refused) post({ kind: 'paged', to, ref, failure: error.failure });
      else throw error;
    }
  }

  close(): void {
    for (const tab of this.#tabs.keys()) this.#leave(tab);
  }

  #tab(name: string): Tab {
    const known = this.#tabs.get(name);
    if (known !== undefined) return known;
    const unwatch = this.#parts.election.whenGone(name, () => this.#leave(name));
    const tab = { logs: new Map(), unwatch };
    this.#tabs.set(name, tab);
    return tab;
  }

  #leave(name: string): void {
    const tab = this.#tabs.get(name);
    this.#tabs.delete(name);
    tab?.unwatch();
    for (const { close } of tab?.logs.values() ?? []) close();
  }
}
