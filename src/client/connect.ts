/**
 * Puts the parts of a client together.
 *
 *     client ──► logs ──► channels ──► link ──► gateway
 *       │          └────► outbox ──► sender ──► link
 *       └── persist (once the account is known): where the outbox is kept, the cache, the other tabs
 *
 * All of it can be used at once: appends wait in their order until it is known where they are kept.
 */
import { InvalidInput } from '../event/error.ts';
import {
  ACCOUNT_ID_RULE,
  accountLog,
  isAccountId,
  type LogName,
  parseLogName,
} from '../event/log-name.ts';
import type { EventDefinitions } from '../typed/event-types.ts';
import type { Client, ConnectOptions } from './client-api.ts';
import { type ClientContext, keepContext, keepDefinitions } from './client-context.ts';
import { gatewayLink } from './connection/link.ts';
import { hintsOf, type Kept, openKept } from './kept.ts';
import { LateUpstream } from './late-upstream.ts';
import { createChannels } from './logs/channels.ts';
import { OpenLog } from './logs/client-log.ts';
import { startSender } from './outbox/sender.ts';
import { TabOutbox } from './outbox/tab-outbox.ts';
import type { GatewayLink } from './upstream.ts';

/**
 * Connects to a gateway, and stays connected.
 *
 *     const client = connect('https://events.example', { token: () => getToken() });
 *     for await (const event of client.log('room:5').events()) …
 *
 * @param url of the gateway: `https://…` or `wss://…`; in a page also relative to it, like `/`
 * @throws InvalidInput
 */
export function connect(url: string | URL, options: ConnectOptions = {}): Client {
  check(options);
  const { persist, onRefused } = options;

  // Not before all of it is there: what is kept follows from the account, which the gateway may tell.
  const cache = persist && Promise.resolve().then(async () => (await kept).cache);
  const channels = createChannels(() => upstream, { cache, writesCache: () => isWriter() });
  const open = () => gatewayLink({ ...options, url }, channels.receiver);
  const late = persist && new LateUpstream(options.account);
  const upstream = late ?? open();
  const kept = openKept(url, options, late);
  const store = kept.then((place) => place.outbox);
  const hints = persist && hintsOf(kept);
  const outbox = new TabOutbox({ store, hints, onRefused });

  let isClosed = false;
  let isWriter = () => true;
  let endSender = () => {};
  const send = (place: Kept, link: GatewayLink | undefined) => {
    endSender();
    const { outbox: opened, tabs } = place;
    const isShared = late !== undefined && tabs === undefined;
    endSender =
      link && !isClosed ? startSender({ store: opened, outbox, link, isShared }) : () => {};
  };
  void kept.then((place) => {
    if (isClosed) return;
    if (late === undefined || place.tabs === undefined) {
      const link = late === undefined ? (upstream as GatewayLink) : open();
      late?.become(link);
      send(place, link);
      return;
    }
    // In the tab that leads, and nowhere else.
    const shared = place.tabs.share({ open, channels, receiver: channels.receiver });
    isWriter = () => shared.link.get() !== undefined;
    shared.link.subscribe(() => send(place, shared.link.get()));
    shared.leader.subscribe(() => {
      // Not as long as nobody leads: a tab that is being frozen would stop amid a transaction, and others wait for it.
      if (shared.leader.get() !== undefined) void outbox.resync();
    });
    send(place, shared.link.get());
    late.become(shared);
  });
  upstream.state.subscribe(() => {
    const { status, failure } = upstream.state.get();
    // The gateway will not have us: nobody is to wait for what does not come.
    if (status === 'closed' && failure !== undefined) channels.close(failure);
  });
  const end = async (isForgotten = false): Promise<Kept> => {
    isClosed = true;
    endSender();
    // In this order: what other tabs read through these channels has not failed.
    upstream.close();
    channels.close();
    const place = await kept;
    // Where there is no database, the outbox was in memory as well.
    outbox.close(place.cache !== undefined && !isForgotten);
    return place;
  };

  const logs = new Map<LogName, Map<EventDefinitions | undefined, OpenLog>>();
  const openLog = (name?: string, events?: EventDefinitions): OpenLog => {
    const log = name === undefined ? ownLog(upstream.account.get()) : parseLogName(name, 'name');
    const opened = logs.get(log) ?? new Map<EventDefinitions | undefined, OpenLog>();
    logs.set(log, opened);
    const known = opened.get(events);
    if (known !== undefined) return known;
    const fresh = new OpenLog(log, events, context);
    opened.set(events, fresh);
    keepContext(fresh, context);
    keepDefinitions(fresh, events);
    return fresh;
  };

  let closing: Promise<void> | undefined;
  const client: Client = {
    connection: upstream.state,
    account: upstream.account,
    outbox,
    // What the definitions decode is what their types say.
    log: openLog as unknown as Client['log'],
    async forget() {
      await (await end(true)).forget?.();
    },
    close() {
      closing ??= end().then(async (place) => {
        await place.cache?.flush();
        place.close?.();
      });
      return closing;
    },
  };
  const context: ClientContext = {
    ...{ client, channels, appends: outbox, pages: upstream, account: upstream.account },
    cache: cache ?? Promise.resolve(undefined),
  };
  keepContext(client, context);
  return client;
}

function ownLog(account: string | undefined): LogName {
  if (account !== undefined) return accountLog(account);
  throw new InvalidInput(
    'name',
    'must be given as long as the account is not known: hand `account` to connect(), or wait for client.account',
  );
}

function check(options: ConnectOptions): void {
  const { account, persist, WebSocket } = options;
  if (account !== undefined && !isAccountId(account)) {
    throw new InvalidInput('account', ACCOUNT_ID_RULE);
  }
  for (const name of ['token', 'onRefused', 'fetch'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'function') {
      throw new InvalidInput(name, 'must be a function');
    }
  }
  if (persist !== undefined && typeof persist.open !== 'function') {
    throw new InvalidInput('persist', 'must be what indexedDb() answers');
  }
  if (WebSocket !== undefined && WebSocket !== false && typeof WebSocket !== 'function') {
    throw new InvalidInput('WebSocket', 'must be a constructor like that of browsers, or false');
  }
  for (const name of ['maxOutboxEntries', 'maxOutboxBytes'] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 1))
      throw new InvalidInput(name, 'must be a number from 1');
  }
}
