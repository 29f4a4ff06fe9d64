import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withMark } from '../../../../src/client/outbox/mark.ts';
import { MemoryOutbox } from '../../../../src/client/outbox/memory-outbox.ts';
import type { EventId } from '../../../../src/event/event-id.ts';
import { LOG, OTHER, Scripted } from './scripted-gateway.ts';

const opened: Scripted[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});

afterEach(() => {
  for (const each of opened.splice(0)) each.end();
  vi.useRealTimers();
});

const settle = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

async function started(store?: MemoryOutbox): Promise<Scripted> {
  const scripted = new Scripted(store).start();
  opened.push(scripted);
  await settle();
  return scripted;
}

const seqsOf = ({ sent }: Scripted) => sent.map(({ producer }) => producer.seq);
const epochsOf = ({ sent }: Scripted) => sent.map(({ producer }) => producer.epoch);

describe('sending', () => {
  it('sends the entries of a log in order, 16 at a time, and settles each', async () => {
    const gateway = await started();
    const sendings = Array.from({ length: 20 }, () => gateway.append());
    await settle();
    expect(seqsOf(gateway)).toEqual(Array.from({ length: 16 }, (_, seq) => seq));
    gateway.accept('1-0');
    await settle();
    expect(seqsOf(gateway)).toHaveLength(17);
    expect(await sendings[0]).toEqual({ ids: ['1-0'], version: '1-0', duplicate: false });
  });

  it('does not have a log wait for another', async () => {
    const gateway = await started();
    gateway.append({ command: { decider: 'none', command: 1 }, expected: '0-0' as EventId });
    gateway.append();
    gateway.append({ log: OTHER });
    await settle();
    expect(gateway.sent.map(({ log }) => log).sort()).toEqual([LOG, OTHER]);
  });

  it('waits for a connection, and goes on at once when there is one', async () => {
    const gateway = await started();
    gateway.isReady.set(false);
    gateway.append();
    await settle(60_000);
    expect(gateway.sent).toEqual([]);
    gateway.isReady.set(true);
    await settle();
    expect(gateway.sent).toHaveLength(1);
    gateway.isReady.set(false);
    gateway.lose();
    await settle(60_000);
    gateway.isReady.set(true);
    await settle();
    expect(gateway.sent[1]).toEqual(gateway.sent[0]);
  });

  it('sends what an earlier page has left', async () => {
    const store = new MemoryOutbox();
    const before = new Scripted(store);
    await before.append().kept;
    before.end();
    const gateway = await started(store);
    expect(seqsOf(gateway)).toEqual([0]);
    expect(gateway.pagesAsked).toEqual([]);
  });
});

describe('what passes', () => {
  it.each(['unavailable', 'outcome_unknown', 'rate_limited', 'shutting_down', 'unauthenticated'])(
    '%s: waits, and repeats as it is',
    async (code) => {
      const gateway = await started();
      gateway.append();
      await settle();
      gateway.refuse(code);
      await settle(499);
      expect(gateway.sent).toHaveLength(1);
      await settle(1);
      expect(gateway.sent[1]).toEqual(gateway.sent[0]);
      expect(gateway.refusals).toEqual([]);
    },
  );

  it('waits as long as it was told', async () => {
    const gateway = await started();
    gateway.append();
    await settle();
    gateway.refuse('rate_limited', { retryAfter: 5_000 });
    await settle(4_999);
    expect(gateway.sent).toHaveLength(1);
    await settle(501);
    expect(gateway.sent).toHaveLength(2);
  });

  it('waits longer each time, and sends one by one until it goes well', async () => {
    const gateway = await started();
    gateway.append();
    gateway.append();
    await settle();
    for (const wait of [500, 1_000, 2_000]) {
      for (let left = gateway.sent.length === 2 ? 2 : 1; left > 0; left -= 1) gateway.lose();
      const { length } = gateway.sent;
      await settle(wait - 1);
      expect(gateway.sent).toHaveLength(length);
      await settle(1);
      expect(gateway.sent).toHaveLength(length + 1);
    }
    gateway.accept('1-0');
    await settle();
    expect(seqsOf(gateway).slice(-2)).toEqual([0, 1]);
  });
});

describe('an answer that comes while another one is taken in', () => {
  it('is one as any other, also in a log that may not be read', async () => {
    const gateway = await started();
    const sendings = [gateway.append(), gateway.append()];
    await settle();
    const finish = gateway.store.finish.bind(gateway.store);
    vi.spyOn(gateway.store, 'finish').mockImplementationOnce((...args) => {
      gateway.accept('2-0');
      return finish(...args);
    });
    gateway.pageFailures.push({ code: 'forbidden', message: 'no' });
    gateway.accept('1-0');
    await settle();
    expect(await Promise.all(sendings)).toMatchObject([{ ids: ['1-0'] }, { ids: ['2-0'] }]);
    expect(gateway.pagesAsked).toEqual([]);
    expect(gateway.sent).toHaveLength(2);
  });
});

describe('duplicate', () => {
  it('settles by the IDs when the answer was lost', async () => {
    const gateway = await started();
    const sending = gateway.append();
    await settle();
    gateway.has(gateway.sent[0], '5-0');
    gateway.lose();
    await settle(500);
    gateway.repeated('5-0');
    await settle();
    expect((await sending).ids).toEqual(['5-0']);
  });

  it('finds the IDs of one that is too long ago by its mark', async () => {
    const gateway = await started();
    const sending = gateway.append({ events: Array(2).fill({ type: 'Said', payload: 1 }) });
    await settle();
    gateway.has(gateway.sent[0], '5-0', '5-1');
    gateway.lose();
    await settle(500);
    gateway.repeated();
    await settle();
    expect((await sending).ids).toEqual(['5-0', '5-1']);
  });

  it('of somebody else: another copy of the outbox took the seq, so it takes another producer', async () => {
    const gateway = await started();
    gateway.append();
    await settle();
    const { id } = gateway.sent[0]!.producer;
    const event = { type: 'Said', payload: '', meta: { client: { id, key: 'of another' } } };
    gateway.has({ ...gateway.sent[0]!, events: [event] }, '5-0');
    gateway.repeated('5-0');
    await settle();
    expect(gateway.sent[1]!.producer).toMatchObject({ epoch: 0, seq: 0 });
    expect(gateway.sent[1]!.producer.id).not.toBe(id);
    expect(gateway.sent[1]!.events).toEqual(gateway.sent[0]!.events);
  });
});

describe('producer_gap', () => {
  async function forgotten(): Promise<{ gateway: Scripted; sendings: Promise<unknown>[] }> {
    const gateway = await started();
    const sendings = [gateway.append(), gateway.append(), gateway.append()];
    await settle();
    gateway.accept('1-0');
    gateway.has(gateway.sent[1], '2-0');
    gateway.lose();
    gateway.lose();
    await settle(500);
    gateway.refuse('producer_gap', { expectedSeq: 0 });
    return { gateway, sendings };
  }

  it('that waits for the first: settles what the log has, and sends the rest under a raised epoch', async () => {
    const { gateway, sendings } = await forgotten();
    await settle();
    expect(gateway.pagesAsked).toEqual([{ after: '1-0' }]);
    expect(await sendings[1]).toMatchObject({ ids: ['2-0'] });
    expect(gateway.sent.at(-1)!.producer).toMatchObject({ epoch: 1, seq: 0 });
    expect(gateway.sent.at(-1)!.events).toEqual(gateway.sent[2]!.events);
  });

  it('looks again when the page cannot be had', async () => {
    const { gateway, sendings } = await forgotten();
    gateway.pageFailures.push({ code: 'unavailable', message: 'away' });
    await settle(5_000);
    expect(await sendings[1]).toMatchObject({ ids: ['2-0'] });
    expect(gateway.troubles).toEqual([]);
  });

  it('hands back what nobody can know of, as the log was trimmed there', async () => {
    const { gateway } = await forgotten();
    const resumeAfter = '50-0' as EventId;
    gateway.events = [];
    gateway.pageFailures.push({ code: 'trimmed', message: 'trimmed', resumeAfter });
    await settle();
    expect(gateway.pagesAsked).toEqual([{ after: '1-0' }, { after: resumeAfter }]);
    expect(gateway.refusals).toEqual(['outcome_unknown', 'outcome_unknown']);
  });

  it('looks from the beginning in a log that was reset', async () => {
    const { gateway, sendings } = await forgotten();
    gateway.pageFailures.push({ code: 'reset', message: 'reset' });
    await settle();
    expect(gateway.pagesAsked).toEqual([{ after: '1-0' }, { after: '0-0' }]);
    expect(await sendings[1]).toMatchObject({ ids: ['2-0'] });
  });

  it('looks before it repeats what is older than what a gateway remembers', async () => {
    const gateway = await started();
    const sending = gateway.append();
    await settle();
    gateway.has(gateway.sent[0], '2-0');
    gateway.isReady.set(false);
    gateway.lose();
    await settle(10 * 86_400_000);
    gateway.isReady.set(true);
    await settle();
    expect(gateway.sent).toHaveLength(1);
    expect((await sending).ids).toEqual(['2-0']);
  });
});

describe('producer_fenced', () => {
  it('takes another producer for what the log does not have', async () => {
    const gateway = await started();
    const sendings = [gateway.append(), gateway.append()];
    await settle();
    gateway.has(gateway.sent[0], '2-0');
    gateway.lose();
    gateway.lose();
    await settle(500);
    gateway.refuse('producer_fenced', { currentEpoch: 3 });
    await settle();
    expect(await sendings[0]).toMatchObject({ ids: ['2-0'] });
    const { producer, events } = gateway.sent.at(-1)!;
    expect(producer).toMatchObject({ epoch: 0, seq: 0 });
    expect(producer.id).not.toBe(gateway.store.clientId);
    expect(events).toEqual(gateway.sent[1]!.events);
  });

  it('goes on where another tab has renewed the log', async () => {
    const gateway = await started();
    gateway.append();
    await settle();
    await gateway.store.renew(LOG, { id: gateway.store.clientId, epoch: 0 });
    gateway.refuse('producer_fenced', { currentEpoch: 1 });
    await settle();
    expect(gateway.sent[1]!.producer).toEqual({ id: gateway.store.clientId, epoch: 1, seq: 0 });
    expect(gateway.pagesAsked).toEqual([]);
  });
});

describe('a refusal', () => {
  it('hands the entry back, and sends those behind it under a raised epoch', async () => {
    const gateway = await started();
    const sendings = [gateway.append(), gateway.append(), gateway.append()];
    await settle();
    gateway.accept('1-0');
    gateway.refuse('forbidden');
    gateway.refuse('producer_gap', { expectedSeq: 1 });
    await settle();
    await expect(sendings[1]).rejects.toMatchObject({ code: 'forbidden' });
    expect(gateway.refusals).toEqual(['forbidden']);
    expect(gateway.sent.at(-1)!.producer).toMatchObject({ epoch: 1, seq: 0 });
    expect(gateway.sent.at(-1)!.events).toEqual(gateway.sent[2]!.events);
    // Nothing was in doubt, so nothing was looked for.
    expect(gateway.pagesAsked).toEqual([]);
    expect(gateway.outbox.refusals.get()).toHaveLength(1);
  });

  it('of one whose answer was lost before: looks whether the log has it', async () => {
    const gateway = await started();
    const sending = gateway.append();
    await settle();
    gateway.has(gateway.sent[0], '2-0');
    gateway.lose();
    await settle(500);
    gateway.refuse('forbidden');
    await settle();
    expect((await sending).ids).toEqual(['2-0']);
    expect(gateway.refusals).toEqual([]);
  });

  it('of one that may be there, in a log that may not be read: nobody knows', async () => {
    const gateway = await started();
    gateway.append();
    await settle();
    gateway.lose();
    gateway.pageFailures.push({ code: 'forbidden', message: 'no' });
    await settle(500);
    gateway.refuse('forbidden');
    await settle();
    expect(gateway.refusals).toEqual(['outcome_unknown']);
  });

  it('takes along what depends on it, in this log and in others', async () => {
    const gateway = await started();
    const first = gateway.append();
    const second = gateway.append({ dependsOn: first.key });
    const third = gateway.append({ dependsOn: second.key, log: OTHER });
    gateway.append({ log: OTHER });
    await settle();
    expect(gateway.sent.map(({ log }) => log)).toEqual([LOG, LOG]);
    gateway.refuse('forbidden');
    gateway.refuse('producer_gap', { expectedSeq: 0 });
    await settle();
    await expect(second).rejects.toMatchObject({ code: 'forbidden' });
    await expect(third).rejects.toMatchObject({ code: 'forbidden' });
    expect(gateway.sent.at(-1)).toMatchObject({ log: OTHER, producer: { seq: 1 } });
    gateway.refuse('producer_gap', { expectedSeq: 0 });
    await settle();
    expect(gateway.sent.at(-1)).toMatchObject({ log: OTHER, producer: { epoch: 1, seq: 0 } });
  });

  it('hands back a plain append on a version conflict', async () => {
    const gateway = await started();
    const sending = gateway.append({ expected: '0-0' as EventId });
    await settle();
    gateway.refuse('version_conflict', { actual: '9-0' as EventId });
    await settle();
    await expect(sending).rejects.toMatchObject({ code: 'version_conflict' });
  });
});

describe('a command', () => {
  const command = { decider: 'tasks', command: 'do' };
  const toDo = { command, expected: '0-0' as EventId };
  const done = (expected: string) => ({
    events: [{ type: 'Done', payload: expected }],
    expected: expected as EventId,
  });

  it('goes alone, decided when it is the first of its log, and fixed before it is sent', async () => {
    const gateway = await started();
    const asked: (string | undefined)[] = [];
    gateway.outbox.redecide('tasks', async (_, actual) => {
      asked.push(actual);
      return done('3-0');
    });
    gateway.append();
    const sending = gateway.append(toDo);
    gateway.append();
    await settle();
    expect(gateway.sent).toHaveLength(1);
    expect(asked).toEqual([]);
    gateway.accept('3-0');
    await settle();
    expect(asked).toEqual([undefined]);
    expect(gateway.sent[1]).toMatchObject({ expected: '3-0', events: [{ payload: '3-0' }] });
    const kept = (await gateway.store.contents()).entries[0]!;
    expect(kept).toMatchObject({ isDecided: true, expected: '3-0', key: sending.key });
    expect(gateway.sent[1]!.events[0]!.meta).toMatchObject({ client: { key: sending.key } });
    gateway.accept('4-0');
    await settle();
    expect(gateway.sent).toHaveLength(3);
  });

  it('is decided again on a conflict, on the version that the log has, under a raised epoch', async () => {
    const gateway = await started();
    const changed: unknown[] = [];
    gateway.outbox.watch(LOG, {
      added: () => {},
      changed: ({ events }) => changed.push(events[0]!.payload),
      finished: () => {},
    });
    gateway.outbox.redecide('tasks', async (_, actual) => done(actual ?? '3-0'));
    const sending = gateway.append(toDo);
    await settle();
    gateway.refuse('version_conflict', { actual: '8-0' as EventId });
    await settle();
    expect(gateway.sent[1]).toMatchObject({ expected: '8-0', producer: { epoch: 1, seq: 0 } });
    expect(changed).toEqual(['3-0', '8-0']);
    gateway.accept('9-0');
    await settle();
    expect((await sending).ids).toEqual(['9-0']);
  });

  it('that was fixed before is repeated as it is first', async () => {
    const store = new MemoryOutbox();
    const before = new Scripted(store);
    const { key, kept } = before.append(toDo);
    await kept;
    const { events, expected } = done('5-0');
    await store.decide(key, { events: withMark(events, { id: store.clientId, key }), expected });
    before.end();
    const gateway = await started(store);
    gateway.outbox.redecide('tasks', async () => done('7-0'));
    await settle();
    expect(gateway.sent[0]).toMatchObject({ expected: '5-0' });
    gateway.has(gateway.sent[0], '6-0');
    gateway.refuse('version_conflict', { actual: '7-0' as EventId });
    await settle();
    expect(await store.outcome(key)).toMatchObject({ appended: { ids: ['6-0'] } });
    expect(gateway.sent).toHaveLength(1);
  });

  it('that comes to nothing is done, and those behind it go on', async () => {
    const gateway = await started();
    gateway.outbox.redecide('tasks', async () => ({ events: [], expected: '7-0' as EventId }));
    const sending = gateway.append(toDo);
    gateway.append();
    await settle();
    expect(await sending).toEqual({ ids: [], version: '7-0', duplicate: false });
    expect(gateway.sent[0]!.producer.seq).toBe(1);
    gateway.refuse('producer_gap', { expectedSeq: 0 });
    await settle();
    expect(seqsOf(gateway)).toEqual([1, 0]);
    expect(epochsOf(gateway)).toEqual([0, 1]);
  });

  it('is handed back when it is refused by the rules', async () => {
    const gateway = await started();
    const refused = { code: 'too_late', message: 'it is done already' };
    gateway.outbox.redecide('tasks', async () => ({ refused }));
    const sending = gateway.append(toDo);
    await settle();
    await expect(sending).rejects.toMatchObject({ failure: refused });
    expect(gateway.sent).toEqual([]);
  });

  it('of a decider that is not known here goes as it was decided; on a conflict it waits for it a little', async () => {
    const gateway = await started();
    const sending = gateway.append(toDo);
    await settle();
    expect(gateway.sent[0]).toMatchObject({ expected: '0-0', events: [{ type: 'Said' }] });
    gateway.refuse('version_conflict', { actual: '8-0' as EventId });
    await settle(10_000);
    gateway.refuse('version_conflict', { actual: '8-0' as EventId });
    await settle();
    await expect(sending).rejects.toMatchObject({ code: 'version_conflict' });
  });

  it('is decided again by a decider that comes later', async () => {
    const gateway = await started();
    gateway.append(toDo);
    await settle();
    gateway.refuse('version_conflict', { actual: '8-0' as EventId });
    await settle();
    gateway.outbox.redecide('tasks', async (_, actual) => done(actual ?? '3-0'));
    await settle();
    gateway.refuse('version_conflict', { actual: '8-0' as EventId });
    await settle();
    expect(gateway.sent.at(-1)).toMatchObject({ expected: '8-0' });
  });
});

describe('a store that fails', () => {
  it('is told of and tried again, and nothing is lost', async () => {
    const gateway = await started();
    const sending = gateway.append();
    await settle();
    vi.spyOn(gateway.store, 'finish').mockRejectedValueOnce(new Error('no room'));
    gateway.accept('1-0');
    await settle();
    expect(gateway.troubles).toHaveLength(1);
    expect(gateway.outbox.entries.get()).toHaveLength(1);
    await settle(500);
    expect((await sending).ids).toEqual(['1-0']);
    expect(gateway.sent).toHaveLength(1);
  });
});
