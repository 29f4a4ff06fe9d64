/** How the parts are put together, without a network. */
import { afterEach, expect, test, vi } from 'vitest';
import { connect } from '../../../src/client/client.ts';
import type { Client, ConnectOptions } from '../../../src/client/client-api.ts';
import type { Cache, CachedLog, Device, Persist } from '../../../src/client/device.ts';
import { MemoryOutbox } from '../../../src/client/outbox/memory-outbox.ts';
import { type EventId, ZERO_ID } from '../../../src/event/event-id.ts';
import { eventually } from '../../support/eventually.ts';
import { events } from './logs/model-upstream.ts';

const clients: Client[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** Nothing that it asks is ever answered. */
function offline(options: ConnectOptions): Client {
  const silent = () => new Promise<never>(() => {});
  const client = connect('https://events.example/at', {
    WebSocket: false,
    fetch: silent,
    ...options,
  });
  clients.push(client);
  return client;
}

class FakePersist implements Persist {
  readonly opened: string[] = [];
  readonly outbox = new MemoryOutbox();
  cached: CachedLog | undefined;
  isForgotten = false;
  closed = 0;
  flushed = 0;
  start = () => {};
  readonly #started = new Promise<void>((resolve) => {
    this.start = resolve;
  });

  async open(gateway: string, account: string): Promise<Device> {
    this.opened.push(`${account} at ${gateway}`);
    await this.#started;
    const cache = {
      log: async () => this.cached,
      add: () => {},
      flush: async () => {
        this.flushed += 1;
      },
    } as unknown as Cache;
    return {
      outbox: this.outbox,
      cache,
      tabs: undefined,
      forget: async () => {
        this.isForgotten = true;
      },
      close: () => {
        this.closed += 1;
      },
    };
  }
}

test('appends wait, in their order, until what is kept is open', async () => {
  const persist = new FakePersist();
  const client = offline({ account: 'ada', persist });
  const log = client.log();
  const sent = ['a', 'b', 'c'].map((payload) => log.append({ type: 'Said', payload }));
  await eventually(() => persist.opened.length > 0);
  expect(persist.opened).toEqual(['ada at https://events.example']);
  expect((await persist.outbox.contents()).entries).toEqual([]);
  persist.start();
  await Promise.all(sent.map(({ kept }) => kept));
  const { entries } = await persist.outbox.contents();
  expect(entries.map((entry) => entry.events[0]?.payload)).toEqual(['a', 'b', 'c']);
  expect(entries.map((entry) => entry.producer.seq)).toEqual([0, 1, 2]);
});

test('a page opens with what was cached, before the network answers', async () => {
  const persist = new FakePersist();
  persist.cached = { after: ZERO_ID, events: events(1, 3), cursor: '3-0' as EventId };
  const client = offline({ account: 'ada', persist });
  const latest = client.log().latest(2);
  latest.subscribe(() => {});
  const loop = client.log().events();
  const next = loop.next();
  persist.start();
  expect((await next).value?.payload).toBe(1);
  await eventually(() => latest.get().events.length === 2);
  expect(latest.get().isCurrent).toBe(false);
});

test('what the token says of itself is enough to open what is kept', async () => {
  const persist = new FakePersist();
  const claims = btoa(JSON.stringify({ sub: 'ada' }));
  const client = offline({ token: () => `header.${claims}.signature`, persist });
  await eventually(() => persist.opened.length > 0);
  expect(persist.opened).toEqual(['ada at https://events.example']);
  expect(client.log().name).toBe('account:ada');
  persist.start();
});

test('closing keeps what is kept, forgetting does not', async () => {
  const persist = new FakePersist();
  persist.start();
  const client = offline({ account: 'ada', persist });
  await client.log().append({ type: 'Said', payload: 1 }).kept;
  await Promise.all([client.close(), client.close()]);
  expect(persist).toMatchObject({ closed: 1, flushed: 1, isForgotten: false });
  const again = offline({ account: 'ada', persist });
  await again.forget();
  expect(persist.isForgotten).toBe(true);
});

test('whoever waits for an append of a client that is closed is told whether it is kept', async () => {
  const persist = new FakePersist();
  persist.start();
  const end = async (client: Client, how: 'close' | 'forget') => {
    const sending = client.log().append({ type: 'Said', payload: 1 });
    const told = sending.catch((error: unknown) => error);
    await sending.kept;
    await client[how]();
    return told;
  };
  const kept = await end(offline({ account: 'ada', persist }), 'close');
  expect(kept).toMatchObject({ code: 'closed', message: expect.stringContaining('is kept') });
  expect((await persist.outbox.contents()).entries).toHaveLength(1);
  const lost = { code: 'closed', message: expect.stringContaining('nothing is kept') };
  expect(await end(offline({ account: 'ada', persist }), 'forget')).toMatchObject(lost);
  const inMemory = offline({ account: 'ada' });
  expect(await end(inMemory, 'close')).toMatchObject(lost);
  await expect(inMemory.log().append({ type: 'Said', payload: 2 })).rejects.toMatchObject(lost);
});

test('without an account nothing is opened, and closing waits for nobody', async () => {
  const persist = new FakePersist();
  const client = offline({ persist });
  await client.close();
  expect(persist.opened).toEqual([]);
});

test('a device that keeps nothing is said, and the client works in memory', async () => {
  const warned = vi.spyOn(console, 'warn').mockReturnValue();
  const persist = { open: () => Promise.reject(new Error('private mode')) };
  const client = offline({ account: 'ada', persist });
  await client.log().append({ type: 'Said', payload: 1 }).kept;
  expect(client.outbox.entries.get()).toHaveLength(1);
  expect(warned).toHaveBeenCalledWith('millrace: nothing is kept on this device: private mode');
});

test('one log for each name and definitions', () => {
  const client = offline({ account: 'ada' });
  expect(client.log('room:1')).toBe(client.log('room:1'));
  expect(client.log()).toBe(client.log('account:ada'));
  expect(() => client.log('room')).toThrow('name must be category:id');
});
