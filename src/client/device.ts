/**
 * What a device keeps between two visits of a page, and what its tabs share. `connect` is handed a
 * {@link Persist}; without one, an outbox in memory is all there is.
 */
import type { StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Channels } from './logs/consumer.ts';
import type { OutboxStore } from './outbox/outbox-store.ts';
import type { Readable } from './readable.ts';
import type { GatewayLink, Receiver, Upstream } from './upstream.ts';

/** Opens what is kept; `indexedDb()` answers one. */
export interface Persist {
  /**
   * @param gateway the origin of the gateway
   * @param account whose data it is; that of another account is never opened
   */
  open(gateway: string, account: string): Promise<Device>;
}

export interface Device {
  readonly outbox: OutboxStore;
  /** Undefined: nothing is kept here, the outbox included. */
  readonly cache: Cache | undefined;
  readonly tabs: Tabs | undefined;
  /** Removes all that is kept for this account. The device is of no use any more. */
  forget(): Promise<void>;
  close(): void;
}

/** A stretch of a log without a hole, and what is known about its end. */
export interface CachedLog {
  /** The events lie after this: `0-0` when they begin with the log's first. */
  readonly after: EventId;
  readonly events: readonly StoredEvent[];
  /** Everything up to here has been received. */
  readonly cursor: EventId;
}

/** What was computed from events, with the place up to which it was. */
export interface CachedState {
  readonly state: unknown;
  readonly cursor: EventId;
  /** Of the code that computed it: with another one it is of no use. */
  readonly version: string;
}

/** What a page opens with before the network answers. Bounded by events and bytes: old entries go first. */
export interface Cache {
  log(log: LogName): Promise<CachedLog | undefined>;
  /**
   * Adds to what is kept of a log. Where that would leave a hole (another tab was here), and with
   * `isNew`, it takes the place of what was kept.
   * @param events all that lie between `from.after` and `cursor`
   */
  add(
    log: LogName,
    events: readonly StoredEvent[],
    cursor: EventId,
    from: { readonly after: EventId; readonly isNew?: boolean | undefined },
  ): void;
  state(name: string): Promise<CachedState | undefined>;
  keep(name: string, state: CachedState): void;
  drop(name: string): void;
  /** All that was handed over is kept now, or cannot be kept. Never rejects. */
  flush(): Promise<void>;
}

/** Any structured-clonable message; what one means is the client's business. */
export type TabMessage = { readonly kind: string; readonly [member: string]: unknown };

/**
 * The tabs of one origin and account: they share one connection. Where a browser has no Web Locks a
 * device has none, and each tab is its own.
 */
export interface Tabs {
  /** To all other tabs. A message is a hint: it may be lost. */
  post(message: TabMessage): void;
  /** @returns ends it */
  listen(heard: (message: TabMessage) => void): () => void;
  /** Stands for leader, and follows whoever leads. To be called once. */
  share(parts: ShareParts): SharedUpstream;
}

export interface ShareParts {
  /** Opens the connection of the leader, which tells the channels. */
  readonly open: () => GatewayLink;
  /** Of this tab; while it leads they serve the others, too. */
  readonly channels: Required<Channels>;
  /** Of these channels. */
  readonly receiver: Receiver;
}

/** What a tab has for an upstream: the gateway while it leads, and else the leader. */
export interface SharedUpstream extends Upstream, Pick<GatewayLink, 'page'> {
  /** The connection, while this tab leads. */
  readonly link: Readable<GatewayLink | undefined>;
  /** Which tab leads, as far as it is known. When that changes, messages may have been lost. */
  readonly leader: Readable<string | undefined>;
}
