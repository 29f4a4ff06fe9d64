/** Finds out whose client it is, and opens what is kept for that account. */
import { textOf } from '../event/thrown.ts';
import type { ConnectOptions } from './client-api.ts';
import { gatewayLink } from './connection/link.ts';
import type { Device, Tabs } from './device.ts';
import type { LateUpstream } from './late-upstream.ts';
import { MemoryOutbox } from './outbox/memory-outbox.ts';
import type { GatewayLink } from './upstream.ts';

export type Kept = Pick<Device, 'outbox' | 'cache'> & Partial<Device>;

const nothing = () => {};
const NOBODY = {
  events: nothing,
  live: nothing,
  trimmed: nothing,
  reset: nothing,
  failed: nothing,
};

/** Never rejects: what cannot be kept is in memory. */
export async function openKept(
  url: string | URL,
  options: ConnectOptions,
  late: LateUpstream | undefined,
): Promise<Kept> {
  const { persist, maxOutboxEntries: maxEntries, maxOutboxBytes: maxBytes } = options;
  try {
    const account = persist && (options.account ?? (await askAccount(url, options, late!)));
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

/** What tabs say about the outbox, once it is known whether there are others. */
export function hintsOf(kept: Promise<Kept>): Pick<Tabs, 'post' | 'listen'> {
  let tabs: Tabs | undefined;
  void kept.then((place) => {
    tabs = place.tabs;
  });
  return {
    post: (message) => tabs?.post(message),
    listen(heard) {
      let end: (() => void) | undefined = nothing;
      void kept.then((place) => {
        end &&= place.tabs?.listen(heard) ?? nothing;
      });
      return () => {
        end?.();
        end = undefined;
      };
    },
  };
}

/**
 * By a connection of its own, which is over as soon as that is known: by the token before the gateway
 * has answered. Undefined: it was closed before.
 */
async function askAccount(
  url: string | URL,
  options: ConnectOptions,
  late: LateUpstream,
): Promise<string | undefined> {
  const link = gatewayLink({ ...options, url }, NOBODY);
  late.show(link.state);
  const account = await accountOf(link, late);
  late.account.set(account);
  if (link.state.get().status !== 'closed') {
    late.show(late.opening);
    link.close();
  }
  return account;
}

function accountOf(
  { account, state }: Pick<GatewayLink, 'account' | 'state'>,
  late: LateUpstream,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const look = () => {
      const known = account.get();
      const isClosed = [state, late.state].some((each) => each.get().status === 'closed');
      if (known !== undefined || isClosed) resolve(known);
    };
    account.subscribe(look);
    state.subscribe(look);
    late.state.subscribe(look);
    look();
  });
}
