/** Whose events count, and what stops no reader: the same for all that read events of an application. */

import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createAccounts } from '../../../src/accounts/accounts.ts';
import { decider } from '../../../src/decider/decider.ts';
import { readState } from '../../../src/decider/handling/state.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import { StoredEvent } from '../../../src/event/event.ts';
import { ZERO_ID } from '../../../src/event/event-id.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import type { Writers } from '../../../src/event/senders.ts';
import { createLive } from '../../../src/live/create-live.ts';
import { typedLog } from '../../../src/live/typed-log.ts';
import type { Notice } from '../../../src/metrics/notice.ts';
import { processManager } from '../../../src/process-manager/process-manager.ts';
import { project } from '../../../src/projection/project.ts';
import { react } from '../../../src/projection/react.ts';
import { type TestStore, testStore } from '../../../src/testing/test-store.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { UnreadableEvent } from '../../../src/typed/errors.ts';
import { EventReading } from '../../../src/typed/event-reading.ts';
import { type Worker, work } from '../../../src/worker/work.ts';
import { errorIn } from '../../support/notices.ts';

const shop = defineEvents({
  Notified: z.object({ text: z.string().max(100) }),
  Ordered: {
    schema: z.object({ items: z.array(z.string()) }),
    version: 2,
    upcast: { 1: (old) => ({ items: (old as { item: string }).item.split(',') }) },
  },
  AccountRegistered: z.object({ email: z.string(), name: z.string() }),
});

const log = accountLog('1');
const SECRET = 'what nobody may see in a notice';

const own = (text: string): NewEvent => ({ type: 'Notified', payload: { text } });
const by = (from: string, event: NewEvent): NewEvent => ({
  ...event,
  meta: { ...event.meta, from },
});

interface Outcome {
  /** The texts of what was notified, and the types of all else. */
  readonly seen: readonly string[];
  readonly told: readonly UnreadableEvent[];
  /** Undefined where nobody counts. */
  readonly passedOver: number | undefined;
}

type Read = (store: TestStore, writers: Writers | undefined) => Promise<Outcome>;

function collector() {
  const seen: string[] = [];
  const told: UnreadableEvent[] = [];
  return {
    ...{ seen, told },
    take: (event: { type: string; payload: unknown }) => {
      seen.push(event.type === 'Notified' ? (event.payload as { text: string }).text : event.type);
    },
    onNotice: (notice: Notice) => void told.push(errorIn<UnreadableEvent>(notice)),
  };
}

const readers: Readonly<Record<string, Read>> = {
  async 'a page of a typed log'(store, writers) {
    const { seen, told, take, onNotice } = collector();
    const page = await typedLog(store.log, shop, { writers, onNotice }).read(log);
    page.events.forEach(take);
    return { seen, told, passedOver: page.passedOver };
  },
  async 'a subscription of a typed log'(store, writers) {
    const { seen, told, take, onNotice } = collector();
    const live = createLive({ log: store.log });
    const events = typedLog(store.log, shop, { writers, onNotice });
    for await (const delivery of events.subscribe(live, log, { after: ZERO_ID })) {
      if (delivery.kind === 'live') break;
      if (delivery.kind === 'event') take(delivery.event);
    }
    live.close();
    return { seen, told, passedOver: undefined };
  },
  async 'a decider'(store, writers) {
    const { told, onNotice } = collector();
    const notified = decider({
      name: 'notified',
      events: shop,
      ...{ writers, onNotice },
      initial: [] as readonly string[],
      decide: (_command: object) => [],
      evolve: (state, event) => [
        ...state,
        event.type === 'Notified' ? event.payload.text : event.type,
      ],
    });
    const { state } = await readState(store.log, notified, log);
    return { seen: state, told, passedOver: undefined };
  },
  async 'a projection'(store, writers) {
    const { told, onNotice } = collector();
    const projection = project(store, {
      name: 'notified',
      events: shop,
      ...{ writers, onNotice },
      key: () => 'all',
      initial: () => [] as string[],
      on: {
        Notified: (row, { payload }) => [...row, payload.text],
        Ordered: (row, { type }) => [...row, type],
        AccountRegistered: (row, { type }) => [...row, type],
      },
    });
    await projection.caughtUp();
    const { passedOver, state } = projection.status();
    expect(state).toBe('live');
    const seen = (await projection.get('all')) ?? [];
    await projection.stop();
    return { seen, told, passedOver };
  },
  async 'a reaction'(store, writers) {
    const { seen, told, take, onNotice } = collector();
    const reaction = react(store, {
      name: 'notified',
      events: shop,
      ...{ writers, onNotice, each: take },
    });
    await reaction.caughtUp();
    const { passedOver } = reaction.status();
    await reaction.stop();
    return { seen, told, passedOver };
  },
  async 'a worker'(store, writers) {
    const { seen, told, take, onNotice } = collector();
    const worker = await work(store, {
      group: 'notified',
      events: shop,
      ...{ writers, onNotice, handler: take, retries: { attempts: 1 } },
    });
    await worker.drain();
    await worker.stop();
    await mustHaveNoDeadLetters(worker);
    return { seen, told, passedOver: worker.passedOver() };
  },
  async 'a process manager'(store, writers) {
    const { seen, told, take, onNotice } = collector();
    const on = { Notified: take, Ordered: take, AccountRegistered: take };
    const manager = await processManager(store, {
      name: 'notified',
      events: shop,
      ...{ writers, onNotice, on, retries: { attempts: 1 } },
    });
    await manager.drain();
    await manager.stop();
    await mustHaveNoDeadLetters(manager);
    return { seen, told, passedOver: manager.passedOver() };
  },
};

async function mustHaveNoDeadLetters(worker: Worker): Promise<void> {
  const [letter] = await worker.deadLetters();
  if (letter !== undefined) throw new Error(letter.error);
}

/** What a client can think of that no definition can read. */
const UNREADABLE: readonly NewEvent[] = [
  { type: 'Foo', payload: SECRET },
  { type: 'Foo', payload: 'again' },
  { type: 'Notified', payload: null },
  { type: 'Notified', payload: { text: SECRET.repeat(10) } },
  { type: 'Notified', payload: { text: 'from the future' }, meta: { version: 2 } },
  { type: 'Notified', payload: { text: 'odd' }, meta: { version: 'one' } },
  // Its upcast throws.
  { type: 'Ordered', payload: { items: [SECRET] } },
  { type: 'toString', payload: null },
];

describe.each(Object.entries(readers))('%s', (_name, read) => {
  test('goes on over what clients have written and nobody can read, and tells once for each type', async () => {
    const store = testStore();
    await store.log.append(log, [own('a')]);
    const sent = UNREADABLE.map((event) => by('account:1', event));
    await store.log.append(log, [...sent, by('anonymous', { type: 'Bar', payload: 1 })]);
    await store.log.append(log, [by('account:1', own('b')), own('c')]);
    const { seen, told, passedOver } = await read(store, undefined);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(told.map(({ type }) => type)).toEqual(['Foo', 'Notified', 'Ordered', 'toString', 'Bar']);
    for (const error of told) {
      expect(error).toBeInstanceOf(UnreadableEvent);
      expect(error.message).toMatch(/(account:1|anonymous) sent it, so it is passed over/);
      expect(error.message).not.toContain(SECRET);
    }
    if (passedOver !== undefined) expect(passedOver).toBe(9);
    await store.close();
  });

  test("goes on over Millrace's own events, also where one is defined and does not fit", async () => {
    const store = testStore();
    const accounts = createAccounts({ log: store.log, records: store.records, sweepInterval: 0 });
    const { id } = await accounts.register({ email: 'han@example.org', name: SECRET, more: 1 });
    await accounts.changeEmail(id, 'leia@example.org');
    await accounts.close(id);
    await accounts.register({ email: 'luke@example.org', name: [SECRET] as never });
    accounts.stop();
    await store.log.append(log, [own('a')]);
    const { seen, told } = await read(store, undefined);
    expect(seen).toEqual(['AccountRegistered', 'a']);
    const types = new Set(told.map(({ type }) => type));
    expect([...types].filter((type) => type !== 'AccountRegistered')).toEqual([
      'EmailChanged',
      'AccountClosed',
    ]);
    for (const { message } of told) {
      expect(message).toContain('Millrace wrote it, so it is passed over');
      expect(message).not.toContain(SECRET);
    }
    await store.close();
  });

  test.each<[string, Writers, string[]]>([
    ['everyone', 'everyone', ['own', 'from 1', 'from 2', 'from nobody']],
    ['application', 'application', ['own']],
    ['a list', ['account:2'], ['own', 'from 2']],
    ['a function', (from, of) => from === of, ['own', 'from 1']],
  ])('sees the events of its writers: %s', async (_what, writers, expected) => {
    const store = testStore();
    await store.log.append(log, [
      own('own'),
      by('account:1', own('from 1')),
      by('account:2', own('from 2')),
      by('anonymous', own('from nobody')),
    ]);
    const { seen, told, passedOver } = await read(store, writers);
    expect(seen).toEqual(expected);
    expect(told).toEqual([]);
    if (passedOver !== undefined) expect(passedOver).toBe(4 - expected.length);
    await store.close();
  });

  test('stops where the application itself, or who it trusts as itself, wrote what cannot be read', async () => {
    for (const [writers, from] of [
      [undefined, undefined],
      ['application', undefined],
      [['account:9'], 'account:9'],
    ] as const) {
      const store = testStore();
      const unknown = { type: 'Foo', payload: 1 };
      await store.log.append(log, [from === undefined ? unknown : by(from, unknown)]);
      const outcome = await read(store, writers).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(Error);
      await store.close();
    }
  });
});

test('an application can have events with the names of ours', () => {
  const stored = new StoredEvent(ZERO_ID, 'AccountClosed', 'text', 'x', '{"why":"asked"}');
  const reading = new EventReading({
    events: shop,
    writers: undefined,
    by: 'a test',
    notice: () => {},
  });
  expect(() => reading.read(log, stored)).toThrow(UnreadableEvent);
  expect(reading.passedOver).toBe(0);
});

test('a schema that fails at what a client sent is no reason to stop', async () => {
  const odd = defineEvents({
    Notified: {
      '~standard': {
        ...{ version: 1 as const, vendor: 'odd' },
        validate(value: unknown) {
          if (value === SECRET) throw new RangeError(SECRET);
          return { value: value as string };
        },
      },
    },
  });
  const onNotice = vi.fn<(notice: Notice) => void>();
  const store = testStore();
  const event = { type: 'Notified', payload: SECRET };
  await store.log.append(log, [
    by('account:1', event),
    by('account:1', { ...event, payload: 'a' }),
  ]);
  const { events } = await typedLog(store.log, odd, { onNotice }).read(log);
  expect(events.map(({ payload }) => payload)).toEqual(['a']);
  const { message } = errorIn(onNotice.mock.lastCall![0]);
  expect(message).toContain('the schema (odd) of Notified failed at a payload (RangeError)');
  expect(message).not.toContain(SECRET);
  await store.close();
});

test('of any number of types only some are told', () => {
  const onNotice = vi.fn<(notice: Notice) => void>();
  const reading = new EventReading({
    events: shop,
    writers: undefined,
    by: 'a test',
    notice: onNotice,
  });
  for (let number = 0; number < 1_000; number += 1) {
    const meta = '{"from":"account:1"}';
    reading.read(log, new StoredEvent(ZERO_ID, `Foo${number}`, 'text', 'x', meta));
  }
  expect(onNotice).toHaveBeenCalledTimes(20);
  expect(errorIn(onNotice.mock.lastCall![0]).message).toContain('there are many of them');
  expect(reading.passedOver).toBe(1_000);
});

test('without definitions, whose events count is the same', async () => {
  const store = testStore();
  await store.log.append(log, [own('own'), by('account:1', own('forged'))]);
  const seen: unknown[] = [];
  const see = ({ payload }: { payload: unknown }) => void seen.push(payload);
  const options = { writers: 'application', category: 'account' } as const;
  const projection = project(store, {
    ...{ ...options, name: 'p', key: () => 'all', initial: () => 0 },
    on: { Notified: (row) => row + 1 },
  });
  await projection.caughtUp();
  expect(await projection.get('all')).toBe(1);
  const reaction = react(store, { ...options, name: 'r', each: see });
  await reaction.caughtUp();
  const worker = await work(store, { ...options, group: 'w', handler: see });
  await worker.drain();
  expect(seen).toEqual([{ text: 'own' }, { text: 'own' }]);
  await Promise.all([projection.stop(), reaction.stop(), worker.stop()]);
  await store.close();
});

test.each([1, 'Application', [1], {}, null])(
  'writers that are %j are refused everywhere',
  async (no) => {
    const writers = no as never;
    const store = testStore();
    const each = () => {};
    const definition = { name: 'x', initial: () => 0, on: {}, writers };
    for (const refused of [
      () => typedLog(store.log, shop, { writers }),
      () => decider({ name: 'x', writers, initial: 0, decide: () => [], evolve: () => 0 }),
      () => project(store, definition),
      () => react(store, { name: 'x', each, writers }),
      () => work(store, { group: 'x', handler: each, writers }),
    ]) {
      await expect(async () => refused()).rejects.toThrow(
        /^writers must be 'everyone', 'application'/,
      );
    }
    await store.close();
  },
);
