/**
 * The contract of `src/client/outbox/outbox-store.ts` as tests: every store passes all of it; what
 * only some can do is a named capability. Knows no store.
 */
import assert from 'node:assert/strict';
import type { Entry, NewEntry, Outcome } from '../../../src/client/outbox/entry.ts';
import { randomId, withMark } from '../../../src/client/outbox/mark.ts';
import type { OutboxLimits, OutboxStore } from '../../../src/client/outbox/outbox-store.ts';
import { type EventId, ZERO_ID } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import type { Failure } from '../../../src/protocol/problem.ts';
import {
  type Contract,
  type ContractCase,
  contractCases,
  type StoreKind,
  type StoreUnderTest,
  type Suite,
} from '../../../src/testing/contract/suite.ts';

export interface OutboxCapabilities {
  /** Several stores on the same data, as of several tabs, and after a reload: `open` again. */
  readonly shared: true;
}

export interface OutboxUnderTest extends StoreUnderTest<OutboxCapabilities> {
  /** @param limits what is left out keeps its default */
  open(limits?: Partial<OutboxLimits>): Promise<OutboxStore>;
}

export type OutboxKind = StoreKind<OutboxUnderTest, OutboxCapabilities>;

interface Context {
  open(limits?: Partial<OutboxLimits>): Promise<OutboxStore>;
}

const OUTBOX: Contract<OutboxUnderTest, Context, OutboxCapabilities> = {
  topics: [keeping, limits, finishing, renewing, deciding, sharing],
  context: (store) => ({ open: (options) => store.open(options) }),
};

/** The tests of the contract of outboxes. */
export function outboxCases(kind: OutboxKind): ContractCase[] {
  return contractCases(OUTBOX, kind);
}

const LOG = 'account:1' as LogName;
const OTHER = 'room:5' as LogName;
const FORBIDDEN: Failure = { code: 'forbidden', message: 'you may not do that' };
const REFUSED: Outcome = { kind: 'refused', failure: FORBIDDEN };

function settled(...ids: string[]): Outcome {
  const appended = { ids: ids as EventId[], version: (ids.at(-1) ?? '0-0') as EventId };
  return { kind: 'settled', appended: { ...appended, duplicate: false } };
}

function newEntry(more: Partial<NewEntry> = {}): NewEntry {
  const key = randomId();
  const events = withMark([{ type: 'Said', payload: { text: 'hi' } }], { id: 'client', key });
  return { key, log: LOG, events, at: 1_700_000_000_000, ...more };
}

const keysOf = (entries: readonly Entry[]) => entries.map(({ key }) => key);
const producersOf = (entries: readonly Entry[]) => entries.map(({ producer }) => producer);
const placeOf = ({ producer: { id, epoch } }: Entry) => ({ id, epoch });

function keeping(suite: Suite<Context, OutboxCapabilities>): void {
  suite.topic('keeping', () => {
    suite.it('is empty at first, and has an ID that is a producer ID', async ({ open }) => {
      const store = await open();
      assert.deepEqual(await store.contents(), { entries: [], refusals: [] });
      assert.match(store.clientId, /^[A-Za-z0-9._:-]{16,128}$/);
    });

    suite.it('gives seqs from 0 in each log, and an order over all', async ({ open }) => {
      const store = await open();
      const added = [];
      for (const log of [LOG, OTHER, LOG]) added.push(await store.add(newEntry({ log })));
      const id = store.clientId;
      assert.deepEqual(producersOf(added), [
        { id, epoch: 0, seq: 0 },
        { id, epoch: 0, seq: 0 },
        { id, epoch: 0, seq: 1 },
      ]);
      assert.ok(added[0]!.order < added[1]!.order && added[1]!.order < added[2]!.order);
      assert.deepEqual((await store.contents()).entries, added);
    });

    suite.it('gives each seq once to entries that are added at once', async ({ open }) => {
      const store = await open();
      const added = await Promise.all(Array.from({ length: 20 }, () => store.add(newEntry())));
      const { entries } = await store.contents();
      assert.deepEqual(
        entries.map(({ producer }) => producer.seq),
        Array.from({ length: 20 }, (_, seq) => seq),
      );
      assert.deepEqual(keysOf(entries), keysOf(added));
    });

    suite.it('keeps all that an entry says', async ({ open }) => {
      const store = await open();
      const bytes = { type: 'Photo', payload: new Uint8Array([1, 2, 3]), meta: { of: 'me' } };
      const entry = newEntry({
        events: [...newEntry().events, bytes],
        expected: '5-1' as EventId,
        dependsOn: 'another',
        command: { decider: 'tasks', command: { kind: 'add', at: [1, null] } },
        after: '4-0' as EventId,
      });
      const added = await store.add(entry);
      const { order, producer, ...kept } = (await store.contents()).entries[0]!;
      assert.deepEqual({ ...kept }, entry);
      assert.deepEqual({ order, producer }, { order: added.order, producer: added.producer });
    });

    suite.it('goes on counting where the entries before are finished', async ({ open }) => {
      const store = await open();
      const first = await store.add(newEntry());
      await store.finish(first.key, settled('1-0'));
      const second = await store.add(newEntry());
      assert.equal(second.producer.seq, 1);
      assert.ok(second.order > first.order);
    });
  });
}

function limits(suite: Suite<Context, OutboxCapabilities>): void {
  const isFull = { code: 'outbox_full' };
  suite.topic('limits', () => {
    suite.it('keeps nothing of an entry too many, and uses no seq for it', async ({ open }) => {
      const store = await open({ maxEntries: 2 });
      const first = await store.add(newEntry());
      await store.add(newEntry());
      await assert.rejects(store.add(newEntry()), isFull);
      assert.equal((await store.contents()).entries.length, 2);
      await store.finish(first.key, settled('1-0'));
      assert.equal((await store.add(newEntry())).producer.seq, 2);
      await assert.rejects(store.add(newEntry()), isFull);
    });

    suite.it('counts the bytes of events', async ({ open }) => {
      const store = await open({ maxBytes: 1_000 });
      const large = { events: [{ type: 'Said', payload: 'x'.repeat(600) }] };
      const first = await store.add(newEntry(large));
      await assert.rejects(store.add(newEntry(large)), isFull);
      await assert.rejects(
        store.add(newEntry({ events: [{ type: 'Photo', payload: new Uint8Array(600) }] })),
        isFull,
      );
      await store.add(newEntry());
      await store.finish(first.key, REFUSED);
      await store.add(newEntry(large));
    });

    suite.it('takes what a command comes to, however much it is', async ({ open }) => {
      const store = await open({ maxBytes: 1_000 });
      const entry = await store.add(newEntry());
      const events = [{ type: 'Said', payload: 'x'.repeat(2_000) }];
      await store.decide(entry.key, { events, expected: ZERO_ID });
      await assert.rejects(store.add(newEntry()), isFull);
      await store.finish(entry.key, settled('1-0'));
      await store.add(newEntry());
    });
  });
}

function finishing(suite: Suite<Context, OutboxCapabilities>): void {
  suite.topic('finishing', () => {
    suite.it('takes a settled entry out, once', async ({ open }) => {
      const store = await open();
      const entry = await store.add(newEntry());
      assert.equal(await store.outcome(entry.key), undefined);
      assert.deepEqual(await store.finish(entry.key, settled('1-0')), entry);
      assert.equal(await store.finish(entry.key, REFUSED), undefined);
      assert.deepEqual(await store.contents(), { entries: [], refusals: [] });
      assert.deepEqual(await store.outcome(entry.key), settled('1-0'));
    });

    suite.it('knows nothing of what it never had', async ({ open }) => {
      const store = await open();
      assert.equal(await store.finish('none', REFUSED), undefined);
      assert.equal(await store.outcome('none'), undefined);
      await store.dismiss('none');
    });

    suite.it('keeps a refusal until it is dismissed', async ({ open }) => {
      const store = await open();
      const [first, second] = [await store.add(newEntry()), await store.add(newEntry())];
      await store.finish(second.key, REFUSED);
      await store.finish(first.key, REFUSED);
      const { entries, refusals } = await store.contents();
      assert.deepEqual(entries, []);
      assert.deepEqual(
        refusals.map(({ entry, failure }) => ({ entry, failure })),
        [
          { entry: second, failure: FORBIDDEN },
          { entry: first, failure: FORBIDDEN },
        ],
      );
      assert.ok(Math.abs(refusals[0]!.at - Date.now()) < 60_000);
      await store.dismiss(second.key);
      const left = (await store.contents()).refusals;
      assert.deepEqual(keysOf(left.map(({ entry }) => entry)), [first.key]);
      assert.deepEqual(await store.outcome(second.key), REFUSED);
    });

    suite.it('keeps 100 refusals and 1,000 outcomes, the latest', async ({ open }) => {
      const store = await open();
      const keys: string[] = [];
      for (let count = 0; count < 1_001; count += 1) {
        const { key } = await store.add(newEntry());
        await store.finish(key, count < 102 ? REFUSED : settled('1-0'));
        keys.push(key);
      }
      const refused = (await store.contents()).refusals.map(({ entry }) => entry);
      assert.deepEqual(keysOf(refused), keys.slice(2, 102));
      assert.equal(await store.outcome(keys[0]!), undefined);
      assert.deepEqual(await store.outcome(keys[1]!), REFUSED);
      assert.deepEqual(await store.outcome(keys[1_000]!), settled('1-0'));
    });

    suite.it('looks for what is left, and what comes, after what was seen', async ({ open }) => {
      const store = await open();
      const first = await store.add(newEntry());
      await store.add(newEntry({ after: '9-0' as EventId }));
      await store.add(newEntry());
      await store.add(newEntry({ log: OTHER }));
      await store.finish(first.key, settled('7-0', '7-1'), '7-1' as EventId);
      await store.add(newEntry());
      await store.add(newEntry({ after: '10-0' as EventId }));
      const { entries } = await store.contents();
      assert.deepEqual(
        entries.map(({ after }) => after ?? ZERO_ID),
        ['9-0', '7-1', '0-0', '7-1', '10-0'],
      );
    });

    suite.it(
      'looks no later for one that was added before the one that was seen',
      async ({ open }) => {
        const store = await open();
        const first = await store.add(newEntry());
        await store.add(newEntry({ log: OTHER }));
        const second = await store.add(newEntry());
        await store.add(newEntry());
        const after = async () =>
          (await store.contents()).entries.map((entry) => entry.after ?? ZERO_ID);
        await store.finish(second.key, settled('7-0'), '7-0' as EventId);
        assert.deepEqual(await after(), ['0-0', '0-0', '0-0']);
        await store.finish(first.key, settled('6-0'), '6-0' as EventId);
        assert.deepEqual(await after(), ['0-0', '6-0']);
      },
    );
  });
}

function renewing(suite: Suite<Context, OutboxCapabilities>): void {
  suite.topic('renewing', () => {
    suite.it('raises the epoch of the entries of a log, and counts from 0', async ({ open }) => {
      const store = await open();
      const first = await store.add(newEntry());
      await store.add(newEntry());
      const other = await store.add(newEntry({ log: OTHER }));
      await store.add(newEntry());
      await store.finish(first.key, REFUSED);
      const id = store.clientId;
      const renewed = await store.renew(LOG, placeOf(first));
      assert.deepEqual(producersOf(renewed), [
        { id, epoch: 1, seq: 0 },
        { id, epoch: 1, seq: 1 },
      ]);
      const next = await store.add(newEntry());
      assert.deepEqual(next.producer, { id, epoch: 1, seq: 2 });
      const { entries } = await store.contents();
      assert.deepEqual(entries, [renewed[0], other, renewed[1], next]);
    });

    suite.it('changes nothing where somebody else has done it', async ({ open }) => {
      const store = await open();
      const first = await store.add(newEntry());
      const renewed = await store.renew(LOG, placeOf(first));
      assert.deepEqual(await store.renew(LOG, placeOf(first)), renewed);
      assert.deepEqual(await store.renew(LOG, { ...placeOf(first), id: 'x' }), renewed);
      assert.deepEqual((await store.contents()).entries, renewed);
    });

    suite.it('changes nothing where there is more than what is known', async ({ open }) => {
      const store = await open();
      const first = await store.add(newEntry());
      const known = new Set([first.key]);
      await store.add(newEntry({ log: OTHER }));
      const second = await store.add(newEntry());
      const kept = await store.renew(LOG, placeOf(first), undefined, known);
      assert.deepEqual(kept, [first, second]);
      const renewed = await store.renew(LOG, placeOf(first), undefined, known.add(second.key));
      assert.deepEqual(
        renewed.map(({ producer }) => producer.epoch),
        [1, 1],
      );
    });

    suite.it('goes to another producer', async ({ open }) => {
      const store = await open();
      const first = await store.add(newEntry());
      await store.renew(LOG, placeOf(first));
      const renewed = await store.renew(LOG, { id: store.clientId, epoch: 1 }, 'another');
      assert.deepEqual(producersOf(renewed), [{ id: 'another', epoch: 0, seq: 0 }]);
      const next = await store.add(newEntry());
      assert.deepEqual(next.producer, { id: 'another', epoch: 0, seq: 1 });
      const other = await store.add(newEntry({ log: OTHER }));
      assert.equal(other.producer.id, store.clientId);
    });

    suite.it('renews a log that has no entries now', async ({ open }) => {
      const store = await open();
      const first = await store.add(newEntry());
      await store.finish(first.key, REFUSED);
      assert.deepEqual(await store.renew(LOG, placeOf(first)), []);
      const next = await store.add(newEntry());
      assert.deepEqual(next.producer, { id: store.clientId, epoch: 1, seq: 0 });
    });
  });
}

function deciding(suite: Suite<Context, OutboxCapabilities>): void {
  suite.topic('deciding', () => {
    suite.it('fixes what a command leads to, until it is decided again', async ({ open }) => {
      const store = await open();
      const entry = await store.add(newEntry({ command: { decider: 'tasks', command: 1 } }));
      const events = [{ type: 'Done', payload: 2 }];
      const expected = '8-0' as EventId;
      const decided = await store.decide(entry.key, { events, expected });
      assert.deepEqual(decided, { ...entry, events, expected, isDecided: true });
      assert.deepEqual((await store.contents()).entries, [decided]);
      const again = await store.decide(entry.key, undefined);
      assert.ok(!again?.isDecided);
      assert.deepEqual(again?.events, events);
      const kept = (await store.contents()).entries[0];
      assert.ok(!kept?.isDecided);
      assert.deepEqual(kept?.producer, entry.producer);
    });

    suite.it('does nothing for an entry that is gone', async ({ open }) => {
      const store = await open();
      const entry = await store.add(newEntry());
      await store.finish(entry.key, settled('1-0'));
      assert.equal(await store.decide(entry.key, undefined), undefined);
      assert.deepEqual((await store.contents()).entries, []);
    });
  });
}

function sharing(suite: Suite<Context, OutboxCapabilities>): void {
  suite.topic('sharing', () => {
    suite.with(['shared'], 'is one outbox, whoever opens it', async ({ open }) => {
      const [store, other] = [await open(), await open()];
      assert.equal(other.clientId, store.clientId);
      const added = [];
      for (const each of [store, other, store, other]) added.push(await each.add(newEntry()));
      assert.deepEqual(
        added.map(({ producer }) => producer.seq),
        [0, 1, 2, 3],
      );
      assert.deepEqual(await other.finish(added[0]!.key, REFUSED), added[0]);
      assert.equal(await store.finish(added[0]!.key, settled('1-0')), undefined);
      assert.deepEqual(await store.outcome(added[0]!.key), REFUSED);
      const renewed = await store.renew(LOG, placeOf(added[0]!));
      assert.deepEqual(await other.renew(LOG, placeOf(added[0]!)), renewed);
      assert.deepEqual(await (await open()).contents(), await store.contents());
      assert.equal((await store.contents()).refusals.length, 1);
    });

    suite.with(['shared'], 'gives each seq to one of two that add at once', async ({ open }) => {
      const stores = [await open(), await open()];
      const adding = Array.from({ length: 30 }, (_, index) => stores[index % 2]!.add(newEntry()));
      const seqs = (await Promise.all(adding)).map(({ producer }) => producer.seq);
      assert.deepEqual(
        seqs.sort((a, b) => a - b),
        Array.from({ length: 30 }, (_, seq) => seq),
      );
    });

    suite.with(['shared'], 'lets one of two that finish at once', async ({ open }) => {
      const [store, other] = [await open(), await open()];
      const { key } = await store.add(newEntry());
      const done = await Promise.all([
        store.finish(key, settled('1-0')),
        other.finish(key, REFUSED),
      ]);
      assert.equal(done.filter((entry) => entry !== undefined).length, 1);
    });
  });
}
