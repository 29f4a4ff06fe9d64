/** What `connect` answers, and what is done with it. */
import type { Appended } from '../event/appended.ts';
import type { Meta, Payload } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type {
  AnyPayloads,
  DefinedEvents,
  EventFrom,
  RecordedFrom,
  UnknownPolicy,
} from '../typed/event-types.ts';
import type { SocketConstructor } from './connection/socket-like.ts';
import type { ConnectionState } from './connection/state.ts';
import type { Persist } from './device.ts';
import type { Refused } from './errors.ts';
import type { Refusal } from './outbox/entry.ts';
import type { Readable } from './readable.ts';
import type { ClientStart } from './upstream.ts';

export interface ConnectOptions {
  /**
   * Who you are: asked for when a connection is made, and again before the token expires. Left out:
   * the gateway is open, or goes by a cookie.
   */
  readonly token?: (() => Promise<string> | string) | undefined;
  /**
   * The account. An open gateway takes your word for it; elsewhere it has to be the one that the gateway knows,
   * and lets a page open with what was kept while the network is away.
   */
  readonly account?: string | undefined;
  /** Where outbox and cache are kept, and what tabs share. Default: in memory, each tab by itself. */
  readonly persist?: Persist | undefined;
  /** Most entries that the outbox holds. Default 1,000. With `persist`, the store's own limit. */
  readonly maxOutboxEntries?: number | undefined;
  /** Most bytes of events that the outbox holds. Default 4 MiB. With `persist`, the store's own limit. */
  readonly maxOutboxBytes?: number | undefined;
  /** Told of each append that is handed back, also of one that was made before the page was reloaded. */
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
  /** Default `globalThis.WebSocket`; `false`: server-sent events and HTTP only. On Node 20, give that of `ws`. */
  readonly WebSocket?: SocketConstructor | false | undefined;
  /** Default `globalThis.fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

export interface Client {
  readonly connection: Readable<ConnectionState>;
  /** Who you are: as `connect` was told, or once the gateway has said so. */
  readonly account: Readable<string | undefined>;
  readonly outbox: Outbox;
  /** @param name as `category:id`; left out, the account's own, once that is known. @throws InvalidInput */
  log(name?: string): ClientLog<AnyPayloads>;
  log<
    Payloads extends object,
    Inputs extends { readonly [Type in keyof Payloads]: unknown },
    Policy extends UnknownPolicy,
  >(
    name: string | undefined,
    events: DefinedEvents<Payloads, Inputs, Policy>,
  ): ClientLog<Payloads, Inputs>;
  /** Removes all that is kept of this account on the device, what was not sent included, and closes. */
  forget(): Promise<void>;
  /**
   * Ends the connection for good. What was not sent stays kept, with `persist`; whoever still waits for an append
   * is told so by {@link Refused} with the code `closed`.
   */
  close(): Promise<void>;
}

/** Appends that are not in their log yet, and those that were handed back. Of all tabs. */
export interface Outbox {
  readonly entries: Readable<readonly PendingAppend[]>;
  readonly refusals: Readable<readonly Refusal[]>;
  dismiss(refusal: Refusal): Promise<void>;
}

export interface PendingAppend {
  readonly key: string;
  readonly log: LogName;
  readonly types: readonly string[];
  /** By the clock of the device, in milliseconds since 1970. */
  readonly at: number;
}

export interface ClientAppendOptions {
  /** Append only if the log is at this version. */
  readonly expected?: EventId | undefined;
  /** Makes no sense without that one: is handed back when that is. */
  readonly dependsOn?: Sending | undefined;
}

/**
 * An append under way: settles when the log has it, however long that takes. It rejects with {@link Refused} when
 * the append is handed back, and with OutboxFull when it was not even kept.
 */
export interface Sending extends Promise<Appended> {
  readonly key: string;
  /** It survives from now on what the outbox survives. */
  readonly kept: Promise<void>;
}

/** An event without definitions. */
export interface AnyEvent {
  readonly type: string;
  readonly payload: Payload;
  readonly meta?: Meta | undefined;
}

export interface ClientLog<Payloads extends object, Inputs extends object = Payloads> {
  readonly name: LogName;
  /** @throws InvalidInput for what no log would take, at once */
  append(
    events:
      | EventFrom<Inputs>
      | EventFrom<Payloads>
      | readonly (EventFrom<Inputs> | EventFrom<Payloads>)[],
    options?: ClientAppendOptions,
  ): Sending;
  /**
   * Everything after `start` (default: the whole log), then what comes; once, over every interruption.
   * `trimmed` and `reset` end it with a {@link Refused} that says so, as nothing may be missed in silence.
   */
  events(
    start?: ClientStart,
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterableIterator<RecordedFrom<Payloads>>;
  /**
   * Calls back for each event that comes of this type (`*`: of every type). @returns ends it
   * @param start default `now`
   */
  on<Type extends (keyof Payloads & string) | '*'>(
    type: Type,
    heard: (
      event: Type extends keyof Payloads & string
        ? RecordedFrom<Pick<Payloads, Type>>
        : RecordedFrom<Payloads>,
    ) => void,
    start?: ClientStart,
  ): () => void;
  /** The last events of the log, kept up to date as long as somebody is subscribed. @param count default 100 */
  latest(count?: number): Readable<Latest<Payloads>>;
  /** One page of the log, from the gateway. @throws Refused */
  read(
    start?: ClientStart,
    limit?: number,
  ): Promise<{
    readonly events: readonly RecordedFrom<Payloads>[];
    readonly cursor: EventId;
    readonly more: boolean;
    readonly version: EventId;
  }>;
}

/** The live page of a log's last events. */
export interface Latest<Payloads extends object> {
  /** In the order of the log. */
  readonly events: readonly RecordedFrom<Payloads>[];
  /** One's own, which the log does not have yet. */
  readonly pending: readonly EventFrom<Payloads>[];
  /** Whether the log has been read up to where it is now. False: as it was when last seen. */
  readonly isCurrent: boolean;
  /** What has happened to the log since: events that were to be shown are gone. */
  readonly lost?: 'trimmed' | 'reset' | undefined;
  /** Why it is not followed. */
  readonly failure?: Refused | undefined;
}
