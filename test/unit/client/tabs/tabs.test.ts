/** Five tabs, one connection: whoever leads is closed, killed or frozen, and nobody misses anything. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ConnectionState } from '../../../../src/client/connection/state.ts';
import type { SharedUpstream } from '../../../../src/client/device.ts';
import { createChannels, type LogChannels } from '../../../../src/client/logs/channels.ts';
import { Changing } from '../../../../src/client/readable.ts';
import { lockElection } from '../../../../src/client/tabs/election.ts';
import { webTabs } from '../../../../src/client/tabs/web-tabs.ts';
import type { ClientStart, GatewayLink } from '../../../../src/client/upstream.ts';
import { type EventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import { seededRandom } from '../../../../src/testing/seeded.ts';
import { LOG, ModelLog, ModelUpstream } from '../logs/model-upstream.ts';
import { FakeAir, type FakeChannel, FakeLocks } from './fakes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

class World {
  readonly log = new ModelLog();
  readonly locks = new FakeLocks();
  readonly air = new FakeAir();
  readonly tabs: Tab[] = [];
  /** Tabs that the gateway will not have. */
  readonly refused = new Set<string>();
  links = 0;
  opened = 0;
  #names = 0;

  open(start: ClientStart = { after: ZERO_ID }): Tab {
    this.#names += 1;
    const tab = new Tab(this, `tab ${this.#names}`, start);
    this.tabs.push(tab);
    return tab;
  }

  get leader(): Tab | undefined {
    return this.tabs.find((tab) => tab.leads);
  }

  /** Everything that is under way arrives. */
  async settle(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      await vi.advanceTimersByTimeAsync(10);
      for (const tab of this.tabs) tab.deliver();
    }
    await vi.advanceTimersByTimeAsync(10);
  }
}

class Tab {
  readonly name: string;
  readonly seen: EventId[] = [];
  readonly shared: SharedUpstream;
  readonly channels: LogChannels;
  readonly #world: World;
  readonly #channel: FakeChannel;
  #gateway: ModelUpstream | undefined;
  #isDead = false;

  constructor(world: World, name: string, start: ClientStart) {
    this.#world = world;
    this.name = name;
    this.#channel = world.air.open();
    const tabs = webTabs('test', {
      locks: world.locks.of(name),
      channel: () => this.#channel as unknown as BroadcastChannel,
    });
    this.channels = createChannels(() => this.shared);
    this.shared = tabs!.share({
      channels: this.channels,
      receiver: this.channels.receiver,
      open: () => this.#open(),
    });
    this.channels.open(LOG, start, {
      events: (events) => this.seen.push(...events.map(({ id }) => id)),
      live() {},
      trimmed() {},
      reset() {},
      failed() {},
    });
  }

  get leads(): boolean {
    return !this.#isDead && this.shared.link.get() !== undefined;
  }

  deliver(): void {
    if (!this.#isDead && !this.#channel.isFrozen) this.#gateway?.run();
  }

  /** By its own code, which runs. */
  close(): void {
    this.thaw();
    this.shared.close();
    this.channels.close();
    this.#gone();
  }

  /** Without a word. */
  kill(): void {
    this.#isDead = true;
    if (this.#gateway !== undefined) this.#world.links -= 1;
    this.#gateway = undefined;
    this.#channel.close();
    this.#world.locks.kill(this.name);
    this.#gone();
  }

  freeze(): void {
    this.#channel.isFrozen = true;
    this.#world.locks.freeze(this.name);
  }

  thaw(): void {
    if (this.#isDead) return;
    this.#world.locks.thaw(this.name);
    this.#channel.thaw();
  }

  #gone(): void {
    this.#world.tabs.splice(this.#world.tabs.indexOf(this), 1);
    this.#world.air.remove(this.#channel);
  }

  #open(): GatewayLink {
    this.#world.links += 1;
    this.#world.opened += 1;
    const gateway = new ModelUpstream(this.#world.log, () => this.channels.receiver);
    this.#gateway = gateway;
    const state = new Changing<ConnectionState>({
      status: 'live',
      reason: 'test',
      over: 'websocket',
    });
    if (this.#world.refused.has(this.name)) {
      state.set({ status: 'closed', reason: 'no', failure: { code: 'forbidden', message: 'no' } });
    }
    return {
      state,
      account: new Changing<string | undefined>('ada'),
      isReady: new Changing(true),
      follow: (_, start) => gateway.follow(_, start),
      unfollow: () => gateway.unfollow(),
      append: () => Promise.resolve({ kind: 'unanswered' }),
      page: (log) =>
        Promise.resolve({
          ...{ log, events: this.#world.log.kept, cursor: this.#world.log.version },
          ...{ more: false, version: this.#world.log.version },
        }),
      close: () => {
        if (this.#gateway === gateway) {
          this.#world.links -= 1;
          this.#gateway = undefined;
        }
      },
    };
  }
}

function ids(world: World): EventId[] {
  return world.log.all.map(({ id }) => id);
}

async function fiveTabs(): Promise<World> {
  const world = new World();
  for (let count = 0; count < 5; count += 1) world.open();
  await world.settle();
  world.log.append(3);
  await world.settle();
  return world;
}

test('five tabs share one connection, and each gets everything once', async () => {
  const world = await fiveTabs();
  expect(world.links).toBe(1);
  for (const tab of world.tabs)
    expect(tab.seen, `${tab.name}${tab.leads ? ', which leads' : ''}`).toEqual(ids(world));
  const followers = world.tabs.filter((tab) => !tab.leads);
  expect(followers).toHaveLength(4);
  for (const { shared } of followers) {
    expect(shared.state.get()).toMatchObject({ status: 'live', over: 'tab' });
    expect(shared.account.get()).toBe('ada');
    const page = await shared.page(LOG, { after: ZERO_ID });
    expect(page.events.map(({ id }) => id)).toEqual(ids(world));
    expect(page.events[0]).toMatchObject({ payload: 1 });
  }
});

test.each(['close', 'kill'] as const)(
  'after a %s of the leader another leads, without a gap',
  async (end) => {
    const world = await fiveTabs();
    for (let round = 1; round <= 4; round += 1) {
      world.log.append(2);
      world.leader?.[end]();
      world.log.append(2);
      await world.settle();
      expect(world.links).toBe(1);
      for (const tab of world.tabs)
        expect(tab.seen, `${tab.name}${tab.leads ? ', which leads' : ''}`).toEqual(ids(world));
    }
  },
);

test('a frozen leader is deposed, and follows when it goes on', async () => {
  const world = await fiveTabs();
  const frozen = world.leader!;
  frozen.freeze();
  world.log.append(2);
  await vi.advanceTimersByTimeAsync(12_000);
  await world.settle();
  const others = world.tabs.filter((tab) => tab !== frozen);
  expect(others.filter((tab) => tab.leads)).toHaveLength(1);
  for (const tab of others) expect(tab.seen).toEqual(ids(world));
  frozen.thaw();
  world.log.append(2);
  await vi.advanceTimersByTimeAsync(6_000);
  await world.settle();
  expect(frozen.leads).toBe(false);
  for (const tab of world.tabs)
    expect(tab.seen, `${tab.name}${tab.leads ? ', which leads' : ''}`).toEqual(ids(world));
});

test('what was lost between tabs is asked for again', async () => {
  const world = await fiveTabs();
  world.air.lose = 3;
  world.log.append(2);
  await world.settle();
  world.log.append(2);
  await world.settle();
  for (const tab of world.tabs)
    expect(tab.seen, `${tab.name}${tab.leads ? ', which leads' : ''}`).toEqual(ids(world));
});

test('a page that was asked for when the leader died is answered by the next', async () => {
  const world = await fiveTabs();
  const follower = world.tabs.find((tab) => !tab.leads)!;
  world.leader?.freeze();
  const page = follower.shared.page(LOG, { after: ZERO_ID });
  world.leader?.kill();
  await world.settle();
  expect((await page).events).toHaveLength(3);
});

test('a page of a tab that is closed is refused', async () => {
  const world = await fiveTabs();
  const follower = world.tabs.find((tab) => !tab.leads)!;
  world.leader?.freeze();
  const page = follower.shared.page(LOG, { after: ZERO_ID });
  follower.close();
  await expect(page).rejects.toMatchObject({ code: 'closed' });
});

test('a page of a tab that was closed is refused', async () => {
  const world = await fiveTabs();
  const follower = world.tabs.find((tab) => !tab.leads)!;
  follower.close();
  await expect(follower.shared.page(LOG, { after: ZERO_ID })).rejects.toMatchObject({
    code: 'closed',
  });
});

test('a tab that the gateway will not have leaves the lead to one that it takes', async () => {
  const world = new World();
  world.refused.add('tab 1').add('tab 2');
  const [first, second] = [world.open(), world.open()];
  await world.settle();
  for (const { shared } of [first, second]) {
    expect(shared.state.get()).toMatchObject({
      status: 'closed',
      failure: { code: 'forbidden' },
    });
  }
  const third = world.open();
  world.log.append(2);
  await world.settle();
  expect(third.leads).toBe(true);
  expect(third.seen).toEqual(ids(world));
  expect(world.links).toBe(1);
});

test('after a reset another leader reads the log from its beginning', async () => {
  const world = new World();
  world.log.append(6);
  const tabs = [world.open(), world.open({ after: '3-0' as EventId })];
  await world.settle();
  const follower = tabs.find((tab) => !tab.leads)!;
  const { receiver } = follower.channels;
  // The leader has told of it, and dies before it has told what comes then.
  world.log.lose(1);
  receiver.reset(LOG, world.log.version);
  follower.seen.length = 0;
  tabs.find((tab) => tab.leads)!.kill();
  await world.settle();
  expect(follower.leads).toBe(true);
  expect(follower.seen).toEqual(ids(world));
});

test('where locks are refused it does not ask for ever', async () => {
  const request = vi.fn(() =>
    // Whoever does ask for ever fails here, and not by running out of memory.
    request.mock.calls.length < 100
      ? Promise.reject(new DOMException('not here', 'SecurityError'))
      : new Promise<never>(() => {}),
  );
  const end = lockElection({ request } as unknown as LockManager, 'test', 'tab').stand(() => {});
  await vi.advanceTimersByTimeAsync(10);
  end();
  // To be there, and to stand.
  expect(request).toHaveBeenCalledTimes(2);
});

test.each(Array.from({ length: 60 }, (_, seed) => [seed]))(
  'whatever happens, seed %i',
  async (seed) => {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    const world = new World();
    const frozen = new Set<Tab>();
    for (let count = 0; count < 3; count += 1) world.open();
    for (let step = 0; step < 40; step += 1) {
      const luck = random();
      if (luck < 0.4) world.log.append(1 + Math.floor(random() * 3));
      else if (luck < 0.55 && world.tabs.length < 6) world.open();
      else if (luck < 0.65 && world.tabs.length > 1) pick(world.tabs)?.kill();
      else if (luck < 0.72 && world.tabs.length > 1) pick(world.tabs)?.close();
      else if (luck < 0.8) {
        const tab = pick(world.tabs)!;
        tab.freeze();
        frozen.add(tab);
      } else if (luck < 0.9) for (const tab of frozen) tab.thaw();
      else if (luck < 0.95) world.air.lose = Math.floor(random() * 3);
      else await vi.advanceTimersByTimeAsync(random() * 8_000);
      if (random() < 0.7) await world.settle();
    }
    world.air.lose = 0;
    for (const tab of frozen) tab.thaw();
    await vi.advanceTimersByTimeAsync(20_000);
    world.log.append(1);
    await world.settle();
    world.log.append(1);
    await world.settle();
    expect(world.links).toBe(1);
    for (const tab of world.tabs)
      expect(tab.seen, `${tab.name}${tab.leads ? ', which leads' : ''}`).toEqual(ids(world));
  },
);
