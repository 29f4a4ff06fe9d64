/** Where a reaction keeps its place, and what becomes of one that an earlier release has kept elsewhere. */
import { expect, onTestFinished, test } from 'vitest';
import type { Reaction } from '../../../src/projection/react.ts';
import { react } from '../../../src/projection/react.ts';
import type { Change, Fence } from '../../../src/records/records.ts';
import { eventually } from '../../support/eventually.ts';
import { bank, MemoryStore, QUICK } from './memory-store.ts';

const PLACE = '{lease:reaction:mails}:place';
const BEGUN = '{lease:reaction:mails}:begun';
const FORMER_PLACE = 'reaction:mails';
const FORMER_BEGUN = '{reaction:mails}:begun';

function mails(store: MemoryStore, done: string[]): Reaction {
  const reaction = react(store, {
    ...{ ...QUICK, name: 'mails', events: bank, category: 'account' },
    each: ({ id }) => void done.push(id),
  });
  onTestFinished(() => reaction.stop());
  return reaction;
}

/** As a release before has left it after all that there is. */
async function formerly(store: MemoryStore): Promise<void> {
  await store.records.compareAndSet(FORMER_PLACE, null, await store.log.feedEnd());
  await store.records.compareAndSet(FORMER_BEGUN, null, '1');
}

test('is written in one slot with the token that guards it', async () => {
  const store = new MemoryStore();
  const batches: string[][] = [];
  const batch = store.records.batch.bind(store.records);
  store.records.batch = (changes: readonly Change[], options?: { fence?: Fence | undefined }) => {
    if (options?.fence) {
      batches.push([...changes.map(({ key }) => key), `{lease:${options.fence.name}}:token`]);
    }
    return batch(changes, options);
  };
  await store.deposit(1, 1);
  const reaction = mails(store, []);
  await reaction.caughtUp();
  await store.deposit(1, 2);
  await reaction.caughtUp();
  await reaction.stop();
  expect(batches.length).toBeGreaterThanOrEqual(2);
  const tags = batches.flat().map((key) => /\{(.+?)\}/.exec(key)?.[1]);
  expect(new Set(tags)).toEqual(new Set(['lease:reaction:mails']));
});

test('that was kept elsewhere is moved, and nobody begins again from there', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1, 2);
  await formerly(store);
  const done: string[] = [];
  const first = mails(store, done);
  await first.caughtUp();
  expect(done).toEqual([]);
  await store.deposit(1, 3);
  await first.caughtUp();
  await first.stop();
  expect(done).toHaveLength(1);
  const { records } = store;
  expect(await records.get(PLACE)).toBe(await store.log.feedEnd());
  expect(await records.get(BEGUN)).toBe('1');
  expect(await records.get(FORMER_PLACE)).toBeNull();
  // A process of that release takes it for lost.
  expect(await records.get(FORMER_BEGUN)).toBe('moved');

  const second = mails(store, done);
  await store.deposit(1, 4);
  await second.caughtUp();
  await second.stop();
  expect(done).toHaveLength(2);

  // Begun anew on purpose, as ever.
  await records.compareAndSet(PLACE, await records.get(PLACE), null);
  await records.compareAndSet(BEGUN, '1', null);
  const third = mails(store, done);
  await third.caughtUp();
  expect(done).toHaveLength(6);
});

test('that was kept elsewhere is not taken for another one when it is lost', async () => {
  const store = new MemoryStore();
  await store.deposit(1, 1);
  await formerly(store);
  await store.records.compareAndSet(FORMER_PLACE, await store.log.feedEnd(), null);
  const done: string[] = [];
  const reaction = mails(store, done);
  await eventually(() => expect(reaction.status().state).toBe('failed'));
  expect(reaction.status().error).toMatchObject({
    code: 'progress_lost',
    message: expect.stringContaining(FORMER_BEGUN),
  });
  expect(done).toEqual([]);
});

test('that was kept elsewhere and cannot be read ends it, and says which key', async () => {
  const store = new MemoryStore();
  await store.records.compareAndSet(FORMER_PLACE, null, 'nonsense');
  const reaction = mails(store, []);
  await eventually(() => expect(reaction.status().state).toBe('failed'));
  expect(reaction.status().error).toMatchObject({
    code: 'invalid_feed_cursor',
    message: expect.stringContaining(FORMER_PLACE),
  });
});
