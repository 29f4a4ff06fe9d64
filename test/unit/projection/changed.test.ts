/** A definition that was changed, and whose version was not raised. */

import { describe, expect, test } from 'vitest';
import type { Notice } from '../../../src/metrics/notice.ts';
import type { ProjectionDefinition } from '../../../src/projection/definition.ts';
import { fingerprintOf } from '../../../src/projection/fingerprint.ts';
import { project } from '../../../src/projection/project.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { type } from '../../../src/typed/standard-schema.ts';
import { eventually } from '../../support/eventually.ts';
import { errorIn } from '../../support/notices.ts';
import { FaultyReadModel } from './faulty-read-model.ts';
import { MemoryStore, QUICK } from './memory-store.ts';

type Counts = ProjectionDefinition<{ count: number }>;

const before: Counts = {
  ...QUICK,
  name: 'counts',
  initial: () => ({ count: 0 }),
  on: { Deposited: ({ count }) => ({ count: count + 1 }) },
};
const after: Counts = { ...before, on: { Deposited: ({ count }) => ({ count: count + 100 }) } };
const third: Counts = { ...before, on: { Deposited: ({ count }) => ({ count: count + 10_000 }) } };

async function counted(store: MemoryStore, definition: Counts): Promise<unknown> {
  const projection = project(store, definition);
  await projection.caughtUp();
  const row = await projection.get('account:1');
  await projection.stop();
  return row;
}

/** @returns why it does not go on, and what readers see through it all the same */
async function refused(store: MemoryStore, definition: Counts) {
  const projection = project(store, definition);
  await projection.ended();
  const { state, error } = projection.status();
  return { state, code: error?.code, why: error?.message, row: await projection.get('account:1') };
}

describe('a changed definition', () => {
  test('does not go on, changes nothing, says what to do, and does it', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5, 6);
    expect(await counted(store, before)).toEqual({ count: 2 });
    await store.deposit(1, 7);
    const problems: string[] = [];
    const onNotice = (notice: Notice) => problems.push(errorIn(notice).message);
    const { why, ...rest } = await refused(store, { ...after, onNotice });
    expect(rest).toEqual({ state: 'failed', code: 'projection_changed', row: { count: 2 } });
    expect(why).toMatch(
      /^the projection counts has changed, .* raise its version to 2 .* onChange: 'rebuild'/,
    );
    expect(problems).toEqual([why]);
    const waiting = project(store, after);
    await expect(waiting.caughtUp()).rejects.toMatchObject({ code: 'projection_changed' });
    // As it was, it goes on where it was; with the next version, anew.
    expect(await counted(store, before)).toEqual({ count: 3 });
    expect(await counted(store, { ...after, version: 2 })).toEqual({ count: 300 });
    expect((await refused(store, { ...third, version: 2 })).why).toContain('version to 3');
  });

  test('of two that start at the same time for the first time, one goes on', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    const both = [before, after].map((definition) => project(store, definition));
    await eventually(() => both.some((each) => each.status().state === 'failed'));
    const [other] = both.filter((each) => each.status().state !== 'failed');
    await other!.caughtUp();
    expect([{ count: 1 }, { count: 100 }]).toContainEqual(await other!.get('account:1'));
    await Promise.all(both.map((each) => each.stop()));
  });

  test('of rows from before there were fingerprints is taken for what it was', async () => {
    for (const text of [null, 'no JSON', '[]', '{"1":"text:x"}', '{"2":["text:x"]}']) {
      const store = new MemoryStore();
      await store.deposit(1, 5);
      await counted(store, before);
      const key = 'projection:counts:definitions';
      await store.records.compareAndSet(key, await store.records.get(key), text);
      await store.deposit(1, 6);
      expect(await counted(store, after)).toEqual({ count: 101 });
      expect(await refused(store, before)).toMatchObject({ code: 'projection_changed' });
    }
  });

  test('of an earlier version does nothing, as it ever did', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    await counted(store, before);
    await counted(store, { ...after, version: 2 });
    expect(await refused(store, third)).toMatchObject({ state: 'superseded' });
  });
});

describe('where it is to be computed anew by itself', () => {
  const rebuilt: Counts = { ...after, onChange: 'rebuild' };

  test('that is done beside the old rows, which readers see until it is there', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5, 6);
    const old = project(store, { ...before, onChange: 'rebuild' });
    await old.caughtUp();
    const readModel = new FaultyReadModel(store.readModels);
    let build = () => {};
    const mayBuild = new Promise<void>((resolve) => {
      build = resolve;
    });
    readModel.beforeCommit = ({ changes }) => (changes.size > 0 ? mayBuild : undefined);
    const next = project(store, { ...rebuilt, readModel });
    await eventually(() => next.status().state === 'catching-up');
    await store.deposit(1, 7);
    await old.caughtUp();
    expect(await old.get('account:1')).toEqual({ count: 3 });
    expect(await next.get('account:1')).toEqual({ count: 3 });

    build();
    await next.caughtUp();
    expect(await next.get('account:1')).toEqual({ count: 300 });
    expect(next.status()).toMatchObject({ state: 'live', version: 1, serving: 1 });
    await old.ended();
    expect(old.status()).toMatchObject({ state: 'superseded', version: 1, serving: 1 });
    await old.caughtUp();
    expect(await old.get('account:1')).toEqual({ count: 300 });
    await eventually(async () => (await store.readModels.checkpoint('counts@1')) === null);
    await next.stop();
    // From now on it is what there is, also for who does not rebuild.
    await store.deposit(1, 8);
    expect(await counted(store, after)).toEqual({ count: 400 });
  });

  test('an old process that starts again and again never has it computed back', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    const old: Counts = { ...before, onChange: 'rebuild' };
    await counted(store, old);
    // Both run, and start again, while the new one is not there yet.
    const readModel = new FaultyReadModel(store.readModels);
    readModel.beforeCommit = ({ changes }) =>
      changes.size > 0 ? Promise.reject(new Error('not yet')) : undefined;
    for (let round = 0; round < 3; round += 1) {
      const next = project(store, { ...rebuilt, readModel });
      await eventually(() => next.status().trouble !== undefined);
      expect(await counted(store, old)).toEqual({ count: 1 });
      await next.stop();
    }
    expect(await counted(store, rebuilt)).toEqual({ count: 100 });
    for (let round = 0; round < 3; round += 1) {
      const { why, ...rest } = await refused(store, old);
      expect(rest).toEqual({ state: 'failed', code: 'projection_changed', row: { count: 100 } });
      expect(why).toMatch(/readers see rows of its version 1 that a later definition has computed/);
      expect(await counted(store, rebuilt)).toEqual({ count: 100 });
    }
    const definitions = await store.records.get('projection:counts:definitions');
    expect(JSON.parse(definitions!)['1']).toHaveLength(2);
    // Who wants it back says so.
    expect(await counted(store, { ...old, version: 2 })).toEqual({ count: 1 });
  });

  test('it can change again, and a higher version comes after all of them', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    await counted(store, before);
    await counted(store, rebuilt);
    expect(await counted(store, { ...third, onChange: 'rebuild' })).toEqual({ count: 10_000 });
    expect(JSON.parse((await store.records.get('projection:counts:current'))!)).toMatchObject({
      serving: 1.002,
    });
    const last = project(store, { ...before, version: 2 });
    await last.caughtUp();
    expect(last.status().serving).toBe(2);
    for (const table of ['counts@1', 'counts@1.001', 'counts@1.002']) {
      await eventually(async () => (await store.readModels.checkpoint(table)) === null);
    }
    expect(await last.get('account:1')).toEqual({ count: 1 });
    await last.stop();
  });

  test('a version that leaves no room for another build is to be raised', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    for (const version of [1_796_004_474_071, Number.MAX_SAFE_INTEGER]) {
      await counted(store, { ...before, version });
      const isRoomy = version < 2 ** 43;
      const outcome = isRoomy
        ? await counted(store, { ...rebuilt, version })
        : await refused(store, { ...rebuilt, version });
      expect(outcome).toMatchObject(isRoomy ? { count: 100 } : { code: 'projection_changed' });
    }
  });

  test('what readers see is gone on with, when nobody knows any more by what it was computed', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    await counted(store, before);
    await counted(store, rebuilt);
    const key = 'projection:counts:definitions';
    await store.records.compareAndSet(key, await store.records.get(key), null);
    await store.deposit(1, 6);
    expect(await counted(store, rebuilt)).toEqual({ count: 200 });
    expect(await refused(store, before)).toMatchObject({ code: 'projection_changed' });
  });
});

describe("a fingerprint of one's own", () => {
  test('stands for the text, whatever that is', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    expect(await counted(store, { ...before, fingerprint: 'one' })).toEqual({ count: 1 });
    await store.deposit(1, 6);
    expect(await counted(store, { ...after, fingerprint: 'one' })).toEqual({ count: 101 });
    expect(await refused(store, { ...after, fingerprint: 'two' })).toMatchObject({
      code: 'projection_changed',
    });
    expect(await refused(store, after)).toMatchObject({ code: 'projection_changed' });
  });

  test('is taken for what there is when it is given for the first time, also beside the old', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    await counted(store, before);
    await store.deposit(1, 6);
    expect(await counted(store, { ...after, fingerprint: 'one' })).toEqual({ count: 101 });
    // An old process that has none of its own yet.
    await store.deposit(1, 7);
    expect(await counted(store, before)).toEqual({ count: 102 });
    expect(await refused(store, third)).toMatchObject({ code: 'projection_changed' });
  });

  test('or none: then nobody looks', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    await counted(store, before);
    await store.deposit(1, 6);
    expect(await counted(store, { ...after, fingerprint: false })).toEqual({ count: 101 });
    // Which leaves no trace.
    await store.deposit(1, 7);
    expect(await counted(store, before)).toEqual({ count: 102 });
  });

  test('and rows that are said to be right are gone on with, by old and new', async () => {
    const store = new MemoryStore();
    await store.deposit(1, 5);
    await counted(store, before);
    await store.deposit(1, 6);
    expect(await counted(store, { ...after, onChange: 'accept' })).toEqual({ count: 101 });
    await store.deposit(1, 7);
    expect(await counted(store, before)).toEqual({ count: 102 });
    expect(await counted(store, after)).toEqual({ count: 102 });
    // Also what another one has computed since.
    expect(await counted(store, { ...third, onChange: 'rebuild' })).toEqual({ count: 30_000 });
    expect(await refused(store, before)).toMatchObject({ code: 'projection_changed' });
    await store.deposit(1, 8);
    expect(await counted(store, { ...before, onChange: 'accept' })).toEqual({ count: 30_001 });
    expect(await counted(store, before)).toEqual({ count: 30_001 });
  });

  test.each<[string, object]>([
    ['fingerprint', { fingerprint: '' }],
    ['fingerprint', { fingerprint: 5 }],
    ['fingerprint', { fingerprint: true }],
    ['fingerprint', { fingerprint: '\ud800' }],
    ['onChange', { onChange: 'skip' }],
  ])('%s is checked: %j', (field, wrong) => {
    const definition = { ...before, ...wrong } as Counts;
    expect(() => project(new MemoryStore(), definition)).toThrow(
      expect.objectContaining({ code: 'invalid_input', field }),
    );
  });
});

describe('what a change is noticed by', () => {
  const events = (upcast: (old: unknown) => unknown) =>
    defineEvents({
      Deposited: { schema: type<{ amount: number }>(), version: 2, upcast: { 1: upcast } },
    });
  const of = (over: object) => fingerprintOf({ ...before, ...over } as Counts);

  test.each<[string, object]>([
    ['a handler', { on: { Deposited: () => ({ count: 0 }) } }],
    ['one more handler', { on: { ...before.on, Withdrawn: () => null } }],
    ['one less', { on: {} }],
    ['the key', { key: () => 'all' }],
    ['the first state', { initial: () => ({ count: 1 }) }],
    ['the category', { category: 'account' }],
    ['the definitions', { events: events((old) => old) }],
    ['the writers', { writers: 'application' }],
  ])('%s', async (_, over) => {
    expect(await of(over)).not.toBe(await of({}));
  });

  test('an upcast', async () => {
    expect(await of({ events: events((old) => old) })).not.toBe(
      await of({ events: events(() => ({ amount: 0 })) }),
    );
  });

  test('not by how it is run, nor by the order of handlers, nor by those that are left out', async () => {
    const same = {
      ...{ name: 'other', version: 7, leaseTime: 60_000, pageSize: 5, trimmed: 'accept' },
      ...{ onError: 'skip', onNotice: () => {}, retries: { attempts: 1 } },
    };
    expect(await of(same)).toBe(await of({}));
    const [One, Other] = [() => null, () => undefined];
    expect(await of({ on: { One, Other, None: undefined } })).toBe(
      await of({ on: { Other, One } }),
    );
  });

  test('not by how the source is laid out', async () => {
    const handler = (source: string) => Function(`return ${source}`)();
    const texts = [
      '({ count }, event) => { return { count: count + event.payload.amount, last: [1, "2"] }; }',
      "(  {count},event )=>{return{count:count+event.payload.amount,last:[1,'2']}}",
      "(\n  { count, },\n  event,\n) => {\n\treturn {\n    count: count + event.payload.amount,\n    last: [\n      1,\n      '2',\n    ],\n  };\n}",
    ];
    const found = await Promise.all(texts.map((text) => of({ on: { Deposited: handler(text) } })));
    expect(new Set(found).size).toBe(1);
    expect(await of({ on: { Deposited: handler('(a) => { return  a }') } })).not.toBe(
      await of({ on: { Deposited: handler('(a) => { returna }') } }),
    );
  });
});
