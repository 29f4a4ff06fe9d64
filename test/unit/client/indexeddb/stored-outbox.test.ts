/** What the contract of outboxes cannot ask of every store: transactions that break, and connections that go. */
import { afterEach, describe, expect, test } from 'vitest';
import type { EventId } from '../../../../src/event/event-id.ts';
import { abortWrites, Browser, newEntry } from './browser.ts';

const SETTLED = {
  kind: 'settled',
  appended: { ids: ['1-0' as EventId], version: '1-0' as EventId, duplicate: false },
} as const;

let faults: ReturnType<typeof abortWrites> | undefined;
afterEach(() => {
  faults?.end();
  faults = undefined;
});

const seqs = (entries: readonly { producer: { seq: number } }[]) =>
  entries.map(({ producer }) => producer.seq);

describe('a transaction that breaks in the middle', () => {
  test.each(['entries', 'places', 'outbox'])(
    'of an entry, after %s was written, keeps nothing of it: no seq is left out',
    async (store) => {
      const browser = new Browser();
      const { outbox } = await browser.device();
      await outbox.add(newEntry('first'));
      faults = abortWrites([store], 'DataError');
      await expect(outbox.add(newEntry('torn'))).rejects.toMatchObject({ name: 'DataError' });
      expect(faults.count).toBe(1);
      await outbox.add(newEntry('second'));
      const { entries } = await (await browser.device()).outbox.contents();
      expect(seqs(entries)).toEqual([0, 1]);
      expect(entries.map(({ events }) => events[0]?.payload)).toEqual([
        { text: 'first' },
        { text: 'second' },
      ]);
    },
  );

  test.each(['outbox', 'places', 'outcomes'])(
    'of an end, after %s was written, leaves the entry, and no outcome',
    async (store) => {
      const { outbox } = await new Browser().device();
      const { key } = await outbox.add(newEntry());
      faults = abortWrites([store], 'DataError');
      await expect(outbox.finish(key, SETTLED)).rejects.toMatchObject({ name: 'DataError' });
      expect((await outbox.contents()).entries).toHaveLength(1);
      expect(await outbox.outcome(key)).toBeUndefined();
      expect((await outbox.finish(key, SETTLED))?.key).toBe(key);
      expect(await outbox.outcome(key)).toEqual(SETTLED);
    },
  );

  test('of a renewal leaves all entries where they were', async () => {
    const { outbox } = await new Browser().device();
    const added = [];
    for (const text of ['a', 'b', 'c']) added.push(await outbox.add(newEntry(text)));
    const { id, epoch } = added[0]!.producer;
    faults = abortWrites(['entries'], 'DataError');
    await expect(outbox.renew(added[0]!.log, { id, epoch })).rejects.toThrow();
    expect((await outbox.contents()).entries).toEqual(added);
    expect(await outbox.renew(added[0]!.log, { id, epoch })).toMatchObject([
      { producer: { epoch: epoch + 1, seq: 0 } },
      { producer: { epoch: epoch + 1, seq: 1 } },
      { producer: { epoch: epoch + 1, seq: 2 } },
    ]);
  });
});

describe('two connections at once', () => {
  test('give each entry a seq of its own, without a gap', async () => {
    const browser = new Browser();
    const tabs = [await browser.device(), await browser.device()];
    const added = await Promise.all(
      Array.from({ length: 40 }, (_, n) => tabs[n % 2]!.outbox.add(newEntry(String(n)))),
    );
    const expected = Array.from({ length: 40 }, (_, n) => n);
    expect(seqs(added).sort((a, b) => a - b)).toEqual(expected);
    expect(seqs((await tabs[0]!.outbox.contents()).entries)).toEqual(expected);
  });

  test('hold one limit together', async () => {
    const browser = new Browser();
    const limit = { maxOutboxEntries: 5 };
    const tabs = [await browser.device(limit), await browser.device(limit)];
    const adding = Array.from({ length: 10 }, (_, n) => tabs[n % 2]!.outbox.add(newEntry()));
    const done = await Promise.allSettled(adding);
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect((await tabs[0]!.outbox.contents()).entries).toHaveLength(5);
  });

  test('finish an entry once, and renew a log once', async () => {
    const browser = new Browser();
    const tabs = [await browser.device(), await browser.device()];
    const { key } = await tabs[0]!.outbox.add(newEntry());
    const { log, producer } = await tabs[0]!.outbox.add(newEntry());
    const ends = await Promise.all(tabs.map(({ outbox }) => outbox.finish(key, SETTLED)));
    expect(ends.filter((entry) => entry !== undefined)).toHaveLength(1);
    const renewed = await Promise.all(tabs.map(({ outbox }) => outbox.renew(log, producer)));
    expect(renewed[0]).toEqual(renewed[1]);
    expect(renewed[0]?.[0]?.producer).toEqual({ ...producer, epoch: producer.epoch + 1, seq: 0 });
  });

  test('that open a new database at once find one client ID', async () => {
    const browser = new Browser();
    const tabs = await Promise.all([browser.device(), browser.device(), browser.device()]);
    expect(new Set(tabs.map(({ outbox }) => outbox.clientId)).size).toBe(1);
  });
});

describe('the browser', () => {
  test('is asked to keep what must not be lost over a loss of power', async () => {
    const browser = new Browser();
    const { outbox } = await browser.device();
    const { key, log, producer } = await outbox.add(newEntry());
    await outbox.decide(key, undefined);
    await outbox.renew(log, producer);
    await outbox.finish(key, SETTLED);
    expect(browser.written).toEqual(['strict', 'strict', 'strict', 'strict']);
  });

  test('has a newer page open: this one says what to do', async () => {
    const browser = new Browser();
    const { outbox } = await browser.device();
    const name = (await browser.factory.databases())[0]!.name!;
    const request = browser.factory.open(name, 99);
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    await expect(outbox.add(newEntry())).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('reload'),
    });
  });
});
