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
import { textOf } from '../event/thrown.ts';
import type { EventDefinitions } from '../typed/event-types.ts';
import type { Client, ConnectOptions } from './client-api.ts';
import { type ClientContext, keepContext, keepDefinitions } from './client-context.ts';
import { gatewayLink } from './connection/link.ts';
import type { Device } from './device.ts';
import { createChannels } from './logs/channels.ts';
import { OpenLog } from './logs/client-log.ts';
import { MemoryOutbox } from './outbox/memory-outbox.ts';
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

  // Not before all of it is there: what is kept follows from the account, which the link may tell.
  const cache = persist && Promise.resolve().then(async () => (await kept).cache);
  const channels = createChannels(() => link, { cache });
  const link = gatewayLink({ ...options, url }, channels.receiver);
  const kept = openKept(url, options, link);
  const store = kept.then((place) => place.outbox);
  const outbox = new TabOutbox({ store, onRefused });

  let isClosed = false;
  let endSender = () => {};
  void store.then((opened) => {
    if (!isClosed) endSender = startSender({ store: opened, outbox, link });
  });
  link.state.subscribe(() => {
    const { status, failure } = link.state.get();
    // The gateway will not have us: nobody is to wait for what does not come.
    if (status === 'closed' && failure !== undefined) channels.close(failure);
  });
  const end = async (): Promise<Kept> => {
    isClosed = true;
    endSender();
    channels.close();
    link.close();
    const place = await kept;
    outbox.close();
    return place;
  };

  const logs = new Map<LogName, Map<EventDefinitions | undefined, OpenLog>>();
  const openLog = (name?: string, events?: EventDefinitions): OpenLog => {
    const log = name === undefined ? ownLog(link.account.get()) : parseLogName(name, 'name');
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
    connection: link.state,
    account: link.account,
    outbox,
    // What the definitions decode is what their types say.
    log: openLog as unknown as Client['log'],
    async forget() {
      await (await end()).forget?.();
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
    ...{ client, channels, appends: outbox, pages: link, account: link.account },
    cache: cache ?? Promise.resolve(undefined),
  };
  keepContext(client, context);
  return client;
}

type Kept = Pick<Device, 'outbox' | 'cache'> & Partial<Device>;

/** Opens what is kept for the account, once that is known. Never rejects: what cannot be kept is in memory. */
async function openKept(
  url: string | URL,
  options: ConnectOptions,
  link: Pick<GatewayLink, 'account' | 'state'>,
): Promise<Kept> {
  const { persist, maxOutboxEntries: maxEntries, maxOutboxBytes: maxBytes } = options;
  try {
    const account = persist && (await accountOf(link));
    if (account !== undefined) {
      return await persist!.open(new URL(url, globalThis.location?.href).origin, account);
    }
  } catch (error) {
    console.warn(`millrace: nothing is kept on this device: ${textOf(error)}`);
  }
  return {
    outbox: new MemoryOutbox({
      ...(maxEntries !== undefined && { maxEntries }),
      ...(maxBytes !== undefined && { maxBytes }),
    }),
    cache: undefined,
  };
}

/** Undefined: it was closed before that was known. */
function accountOf({ account, state }: Pick<GatewayLink, 'account' | 'state'>) {
  return new Promise<string | undefined>((resolve) => {
    const look = () => {
      const known = account.get();
      if (known !== undefined || state.get().status === 'closed') resolve(known);
    };
    account.subscribe(look);
    state.subscribe(look);
    look();
  });
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
