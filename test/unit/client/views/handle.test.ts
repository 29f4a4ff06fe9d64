import { beforeEach, describe, expect, test } from 'vitest';
import { handle, withDeciders } from '../../../../src/client/views/handle.ts';
import { view } from '../../../../src/client/views/open-view.ts';
import { decider } from '../../../../src/decider/decider.ts';
import { defineEvents } from '../../../../src/typed/define-events.ts';
import { type } from '../../../../src/typed/standard-schema.ts';
import { FakeClient, LOG, turn } from './fake-client.ts';

const bank = defineEvents({
  Deposited: type<{ readonly amount: number }>(),
  Withdrawn: type<{ readonly amount: number }>(),
});

interface Move {
  readonly by: number;
}

class NotEnough extends Error {
  readonly code = 'not_enough';
}

const account = decider({
  name: 'account',
  events: bank,
  initial: { balance: 0 },
  log: () => LOG,
  decide({ by }: Move, { balance }) {
    if (by === 0) return undefined;
    if (balance + by < 0) throw new NotEnough('not enough money');
    return by > 0
      ? bank.create('Deposited', { amount: by })
      : bank.create('Withdrawn', { amount: -by });
  },
  evolve: ({ balance }, event) => ({
    balance: balance + (event.type === 'Deposited' ? 1 : -1) * event.payload.amount,
  }),
});

let fake: FakeClient;
beforeEach(() => {
  fake = new FakeClient();
});

const deposit = (amount: number) => bank.create('Deposited', { amount });
const withdrawal = (amount: number) => bank.create('Withdrawn', { amount });

/** The log has events, the view has been read to their end. */
async function with10() {
  fake.append(deposit(10));
  const seen = view(fake.log, account);
  seen.subscribe(() => {});
  await turn();
  fake.catchUp();
  return seen;
}

const [first, at] = [() => fake.appends.outbox[0]!, (index: number) => fake.appends.outbox[index]!];

describe('handle', () => {
  test('waits for the first state, shows the outcome at once, and resolves when the log has it', async () => {
    fake.append(deposit(10));
    const done = handle(fake.client, account, { by: -3 }, { meta: { why: 'rent' } });
    await turn();
    expect(fake.appends.outbox).toEqual([]);
    fake.catchUp();
    await turn();
    const seen = view(fake.log, account);
    expect(seen.get()).toMatchObject({ state: { balance: 7 }, confirmed: { balance: 10 } });
    expect(first()).toMatchObject({
      command: { decider: 'account', command: { by: -3 } },
      expected: fake.version,
      after: fake.version,
    });
    fake.append(deposit(100));
    await fake.appends.decideAgain(first()).then((decision) => {
      expect(decision).toMatchObject({ expected: fake.events[0]!.id });
    });
    const entry = first();
    fake.deliver();
    await fake.appends.decideAgain(entry, fake.version);
    fake.appends.settle(first(), fake.take(first()));
    await turn();
    fake.deliver();
    expect(await done).toMatchObject({
      state: { balance: 107 },
      version: fake.version,
      events: [{ type: 'Withdrawn', id: fake.version, log: LOG, meta: { why: 'rent' } }],
    });
    expect(seen.get()).toMatchObject({ state: { balance: 107 }, pending: [] });
  });

  test('rejects at once what decide refuses, and changes nothing', async () => {
    const seen = await with10();
    const error = await handle(fake.log, account, { by: -11 }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(NotEnough);
    expect(fake.appends.outbox).toEqual([]);
    expect(seen.get().state).toEqual({ balance: 10 });
  });

  test('resolves at once when there is nothing to do', async () => {
    await with10();
    expect(await handle(fake.log, account, { by: 0 })).toEqual({
      state: { balance: 10 },
      events: [],
      version: fake.version,
    });
  });

  test('decides commands that are made together one after the other', async () => {
    await with10();
    const results = [-6, -6, -4].map((by) =>
      handle(fake.client, account, { by }).catch((error: Error) => error.message),
    );
    await turn();
    expect(fake.appends.outbox.map(({ command }) => command!.command)).toEqual([
      { by: -6 },
      { by: -4 },
    ]);
    expect(await results[1]).toBe('not enough money');
  });

  test('rejects with what decide throws later, and what was shown is taken away', async () => {
    const seen = await with10();
    const done = handle(fake.client, account, { by: -8 }).catch((thrown: unknown) => thrown);
    await turn();
    expect(seen.get().state).toEqual({ balance: 2 });
    fake.append(withdrawal(5));
    // The conflict is heard of before the event: the command waits for it.
    const decided = fake.appends.decideAgain(first(), fake.version);
    await turn();
    fake.deliver();
    expect(await decided).toEqual({
      refused: { code: 'not_enough', message: 'not enough money' },
    });
    expect(await done).toBeInstanceOf(NotEnough);
    expect(seen.get()).toMatchObject({
      state: { balance: 5 },
      pending: [],
      refusals: [{ failure: { code: 'not_enough' } }],
    });
  });

  test('rejects with the reason of the gateway', async () => {
    await with10();
    const done = handle(fake.client, account, { by: -8 });
    await turn();
    fake.appends.refuse(first());
    await expect(done).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('does not decide again before what it appended earlier has come back', async () => {
    await with10();
    void handle(fake.client, account, { by: 5 });
    void handle(fake.client, account, { by: -12 });
    await turn();
    const [one, two] = [at(0), at(1)];
    fake.appends.settle(one, fake.take(one));
    const decided = fake.appends.decideAgain(two);
    await turn();
    fake.deliver();
    expect(await decided).toMatchObject({
      events: [{ type: 'Withdrawn' }],
      expected: fake.version,
    });
  });

  test('does not decide on a log that has lost its beginning', async () => {
    fake.append(deposit(10));
    fake.append(deposit(1));
    const done = handle(fake.client, account, { by: -1 });
    await turn();
    fake.trim(1);
    fake.catchUp();
    await expect(done).rejects.toMatchObject({ code: 'state_lost' });
    expect(fake.appends.outbox).toEqual([]);
  });

  test('commands that were made before the page was loaded are decided again', async () => {
    fake.append(deposit(10));
    expect(withDeciders(fake.client, [account])).toBe(fake.client);
    void fake.appends.append({
      log: LOG,
      events: [withdrawal(4)],
      command: { decider: 'account', command: { by: -4 }, meta: { why: 'rent' } },
    });
    const decided = fake.appends.decideAgain(first());
    await turn();
    fake.catchUp();
    expect(await decided).toMatchObject({
      events: [{ type: 'Withdrawn', meta: { why: 'rent' } }],
      expected: fake.version,
    });
  });

  test('a closed client does not hand a command back', async () => {
    await with10();
    void handle(fake.client, account, { by: 5 }).catch(() => {});
    await turn();
    fake.connection.set({ status: 'closed', reason: 'close() was called' });
    await expect(fake.appends.decideAgain(first())).rejects.toMatchObject({ code: 'closed' });
  });
});
