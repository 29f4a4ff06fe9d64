/**
 * Everything of an application's that Millrace calls, and everything that it can throw: each place
 * tells of it as what it is, tries it as often as it says, and goes on with all else. None of it
 * may end the process: a rejection that nobody handles fails this file.
 */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Authenticate,
  accountLog,
  commandHandler,
  createGateway,
  createLive,
  decider,
  defineEvents,
  handle,
  httpStatus,
  InvalidInput,
  type JsonValue,
  MemoryLog,
  type MillraceError,
  type Notice,
  type ProjectionDefinition,
  parseLogName,
  processManager,
  project,
  react,
  type StandardSchema,
  typedLog,
  work,
} from '../../src/index.ts';
import { type TestStore, testStore } from '../../src/testing/test-store.ts';
import { eventually } from '../support/eventually.ts';
import { errorIn } from '../support/notices.ts';
import { ODD_ANSWERS, ODD_THINGS } from '../support/odd-things.ts';
import { FakeSocket } from './gateway/fakes.ts';

const LOG = parseLogName('account:1');
const BAD = { type: 'Bad', payload: 0 };
const GOOD = { type: 'Good', payload: 0 };
const QUICK = { attempts: 2, firstDelay: 1, maxDelay: 2 };

let store: TestStore;
let said: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  store = testStore({ start: Date.now() });
  said = vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(async () => {
  await store.close();
  said.mockRestore();
  // Where a rejection that nobody handles would be noticed.
  await new Promise(setImmediate);
});

/** How code of others can fail, where it is to answer something: what it does, by what that is. */
const FAILURES: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(
    Object.entries(ODD_THINGS).map(([name, make]) => [
      `throws ${name}`,
      () => {
        throw make();
      },
    ]),
  ),
  ...Object.fromEntries(
    // Caught where all of them are: some will do.
    ['undefined', 'an object without a prototype', 'a proxy that was revoked'].map((name) => [
      `rejects with ${name}`,
      () => Promise.reject(ODD_THINGS[name]!()),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(ODD_ANSWERS).map(([name, make]) => [`answers ${name}`, make]),
  ),
};

/** Fails at each bad event, and answers nothing for others. */
function failing(fail: () => unknown): (event: { readonly type: string }) => never {
  return ({ type }) => (type === BAD.type ? fail() : undefined) as never;
}

/** Text that may stand in a log line. */
function expectText(text: unknown): void {
  expect(text).toBeTypeOf('string');
  expect((text as string).length).toBeGreaterThan(0);
  expect((text as string).length).toBeLessThanOrEqual(2_000);
}

describe.each(Object.keys(FAILURES))('what %s', (name) => {
  const fail = FAILURES[name]!;

  test('as a handler of a worker makes a dead letter, and holds up nobody', async () => {
    await store.log.append(LOG, [BAD, GOOD]);
    const notices: Notice[] = [];
    const handled: string[] = [];
    const worker = await work(store, {
      group: 'odd',
      retries: QUICK,
      handler: (event) => {
        handled.push(event.type);
        return failing(fail)(event);
      },
      onNotice: (notice) => notices.push(notice),
    });
    await worker.drain();
    expect(handled).toEqual(['Bad', 'Bad', 'Good']);
    expect(notices.map(({ what }) => what)).toEqual(['failed', 'dead_letter']);
    const [letter] = await worker.deadLetters();
    expect(letter).toMatchObject({ log: LOG, type: 'Bad', attempts: 2 });
    expectText(letter!.error);
    expect(letter!.error.length).toBeLessThanOrEqual(1_000);
    // Nor does a chance that is none keep it from being tried again.
    const unlucky = await work(store, {
      ...{ group: 'unlucky', retries: { ...QUICK, random: fail as () => number } },
      handler: failing(fail),
    });
    await unlucky.drain();
    expect(await unlucky.deadLetters()).toHaveLength(1);
    await unlucky.stop();
    await worker.redrive(letter!.letter);
    await worker.drain();
    expect(await worker.deadLetters()).toHaveLength(1);
    await worker.stop();
  });

  test('as a reaction of a process manager makes a dead letter', async () => {
    await store.log.append(LOG, [BAD]);
    const manager = await processManager(store, {
      name: 'odd',
      retries: QUICK,
      on: { Bad: failing(fail) },
    });
    await manager.drain();
    expect(await manager.deadLetters()).toHaveLength(1);
    await manager.stop();
  });

  test('as a reaction is tried, and then left out', async () => {
    await store.log.append(LOG, [BAD, GOOD]);
    const problems: MillraceError[] = [];
    const reaction = react(store, {
      ...{ name: 'odd', retries: QUICK, onError: 'skip' },
      each: failing(fail),
      onNotice: (notice) => problems.push(errorIn(notice)),
    });
    await reaction.caughtUp();
    expect(reaction.status()).toMatchObject({ state: 'live', skipped: 1 });
    expect(problems.map(({ code }) => code)).toEqual(['projection_failed']);
    expectText(problems[0]!.message);
    await reaction.stop();
  });

  test.each(['handler', 'key', 'initial'])(
    'as the %s of a projection ends it before the event, or has that left out',
    async (place) => {
      await store.log.append(LOG, [BAD]);
      await store.log.append(parseLogName('account:2'), [GOOD]);
      const definition: ProjectionDefinition<JsonValue> = {
        name: 'odd',
        retries: QUICK,
        key: (event) => (place === 'key' ? failing(fail)(event) : event.log) ?? event.log,
        initial: () => (place === 'initial' && odd ? fail() : 0) as number,
        on: {
          Bad: (_, event) => (place === 'handler' ? failing(fail)(event) : 1),
          Good: () => 1,
        },
      };
      let odd = true;
      const problems: MillraceError[] = [];
      const onNotice = (notice: Notice) => problems.push(errorIn(notice));
      const stopping = project(store, { ...definition, onNotice });
      await stopping.ended();
      expect(stopping.status()).toMatchObject({ state: 'failed', position: 0 });
      expect(problems).toMatchObject([{ code: 'projection_failed', id: expect.any(String) }]);
      expectText(problems[0]!.message);

      // What fails for one row only, for all others goes on.
      const skipping = project(store, {
        ...definition,
        ...{ name: 'skipping', onError: 'skip', onNotice },
      });
      if (place === 'initial') {
        await eventually(() => skipping.status().skipped >= 1);
        odd = false;
      }
      await skipping.caughtUp();
      expect(skipping.status().state).toBe('live');
      if (place !== 'initial') {
        expect(await skipping.get('account:1')).toBeUndefined();
        expect(await skipping.get('account:2')).toBe(1);
      }
      await skipping.stop();
    },
  );

  test('as decide refuses its own command, and no other', async () => {
    const account = decider({
      name: 'odd',
      initial: 0,
      decide: (command: 'good' | 'bad') => (command === 'bad' ? (fail() as never) : GOOD),
      evolve: (state) => state + 1,
      log: () => LOG,
    });
    const refused = await outcomeOf(handle(store.log, account, 'bad'));
    expect(refused.status).toBe('rejected');
    const handler = commandHandler(store.log, account);
    const outcomes = await Promise.all(
      (['good', 'bad', 'good'] as const).map((command) => outcomeOf(handler.handle(command))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await handler.close();
    expect((await store.log.read(LOG)).events).toHaveLength(2);
  });

  test.each(['evolve', 'log'])('as the %s of a decider comes to the caller', async (place) => {
    await store.log.append(LOG, [BAD]);
    const account = decider({
      name: 'odd',
      initial: 0,
      decide: (_: null) => GOOD,
      evolve: (state) => (place === 'evolve' ? (fail() as never) : state + 1),
      log: () => (place === 'log' ? (fail() as never) : LOG),
    });
    expect((await outcomeOf(handle(store.log, account, null))).status).toBe('rejected');
    const handler = commandHandler(store.log, account);
    expect((await outcomeOf(handler.handle(null))).status).toBe('rejected');
    await handler.close();
    expect((await store.log.read(LOG)).events).toHaveLength(1);
  });

  test('as a schema is told of as a schema that fails, whatever the payload', async () => {
    const schema: StandardSchema<number> = {
      '~standard': { version: 1, vendor: 'odd', validate: fail as never },
    };
    const broken = expect.stringMatching(/^the schema \(odd\) of Bad /);
    const events = defineEvents({ Bad: schema }, { validateReads: true });
    expect(() => events.create('Bad', 1)).toThrow(InvalidInput);
    expect(() => events.create('Bad', 1)).toThrow(expect.objectContaining({ message: broken }));
    await store.log.append(LOG, [BAD]);
    const read = typedLog(store.log, events).read(LOG);
    await expect(read).rejects.toMatchObject({ message: broken });
  });

  test('as what says whose events count lets none count that a client wrote', async () => {
    const meta = { from: 'account:2' };
    await store.log.append(LOG, [GOOD, { ...GOOD, meta }]);
    const account = decider({
      ...{ name: 'odd', initial: 0, writers: fail as () => boolean },
      decide: (_: null) => GOOD,
      evolve: (state) => state + 1,
      log: () => LOG,
    });
    expect((await outcomeOf(handle(store.log, account, null))).status).toBe('rejected');
    expect((await store.log.read(LOG)).events).toHaveLength(2);
  });

  test('as an upcast makes the event unreadable', async () => {
    await store.log.append(LOG, [BAD]);
    const schema: StandardSchema<number> = {
      '~standard': { version: 1, vendor: 'odd', validate: (value) => ({ value: value as number }) },
    };
    const events = defineEvents({ Bad: { schema, version: 2, upcast: { 1: fail } } });
    const read = typedLog(store.log, events).read(LOG);
    await expect(read).rejects.toMatchObject({
      code: 'unreadable_event',
      message: expect.stringMatching(/could not be turned from version 1 into 2 \(.+\)/),
    });
  });

  test('as somebody who is only told changes nothing', async () => {
    await store.log.append(LOG, [BAD, GOOD]);
    const handler = failing(() => {
      throw new Error('to be told of');
    });
    const onNotice = fail as () => void;
    const worker = await work(store, { group: 'told', retries: QUICK, handler, onNotice });
    await worker.drain();
    expect(await worker.deadLetters()).toHaveLength(1);
    await worker.stop();

    const projection = project(store, {
      ...{ name: 'told', retries: QUICK, onError: 'skip', onNotice },
      initial: () => 0,
      on: { Bad: (_, event) => handler(event), Good: (count) => count + 1 },
    });
    await projection.caughtUp();
    expect(await projection.get(LOG)).toBe(1);
    await projection.stop();

    const account = decider({
      name: 'told',
      initial: 0 as unknown,
      decide: (_: null) => GOOD,
      evolve: () => new Date(0),
      log: () => LOG,
    });
    const snapshots = { records: store.records, every: 1, onNotice };
    expect((await outcomeOf(handle(store.log, account, null, { snapshots }))).status).toBe(
      'fulfilled',
    );
    const commands = commandHandler(store.log, account, { snapshots });
    expect((await outcomeOf(commands.handle(null))).status).toBe('fulfilled');
    await commands.close();
  });

  test('as what answers who somebody is lets nobody in, and is logged', async () => {
    await expectFailures({ authenticate: fail as Authenticate });
  });

  test('as what answers what somebody may do lets nobody do it, and is logged', async () => {
    const authenticate: Authenticate = async () => ({ account: '1' });
    await expectFailures({ authenticate, may: fail as () => boolean });
  });

  test('as who keeps the accounts is a failure of the gateway, and is logged', async () => {
    const logged: unknown[] = [];
    const error = (fields: object) => logged.push(fields);
    const keep = { register: fail, get: fail, changeEmail: fail, close: fail } as never;
    const log = new MemoryLog();
    const live = createLive({ log });
    const logger = { debug() {}, info() {}, warn() {}, error };
    const gateway = createGateway({ log, live, accounts: keep, logger });
    const answer = await gateway.fetch(new Request('http://localhost/accounts/1'));
    expect(answer.status).toBe(500);
    expect(logged).toHaveLength(1);
    await gateway.close();
    live.close();
  });

  test('as a logger takes nothing with it', async () => {
    const logger = { debug: fail, info: fail, warn: fail, error: fail } as never;
    const authenticate: Authenticate = async () => {
      throw new Error('to be logged');
    };
    const log = new MemoryLog();
    const gateway = createGateway({ log, live: createLive({ log }), authenticate, logger });
    const answer = await gateway.fetch(new Request('http://x/accounts/1/events'));
    expect(answer.status).toBe(500);
    await gateway.close();
  });

  test('as a renewal keeps a connection, which is asked about again', async () => {
    let renewals = 0;
    const authenticate: Authenticate = Object.assign(
      async () => ({ account: '1', expiresAt: Date.now() + 5 }),
      {
        renew: () => {
          renewals += 1;
          return fail() as never;
        },
      },
    );
    const log = new MemoryLog();
    const live = createLive({ log });
    const gateway = createGateway({ log, live, authenticate });
    const admission = await gateway.admit({ url: '/ws', headers: new Headers() });
    if (admission instanceof Response) throw new Error(`refused: ${admission.status}`);
    const socket = new FakeSocket();
    const session = gateway.accept(socket, admission);
    await eventually(() => renewals === 1);
    await new Promise(setImmediate);
    expect(socket.closedWith).toBeUndefined();
    session.closed();
    admission.place.leave();
    await gateway.close();
    live.close();
  });

  test('as a payload that is to become JSON is refused', async () => {
    if (name.startsWith('rejects') || name.startsWith('answers')) return;
    const payload = { toJSON: fail } as unknown as JsonValue;
    const appended = store.log.append(accountLog('1'), [{ type: 'Bad', payload }]);
    await expect(appended).rejects.toMatchObject({
      code: 'invalid_event',
      message: expect.stringMatching(/^events\[0\]\.payload must be a JSON value \(.+\)/),
    });
  });
});

test.each(Object.keys(ODD_THINGS))('%s has the status of what is not known', (name) => {
  expect(httpStatus(ODD_THINGS[name]!())).toBe(500);
});

/** Without looking at what it was rejected with. */
async function outcomeOf(promise: Promise<unknown>): Promise<{ status: string }> {
  const [outcome] = await Promise.allSettled([promise]);
  return { status: outcome!.status };
}

/** Requests, upgrades and sockets are told that the gateway failed, and the log is told why. */
async function expectFailures(options: {
  readonly authenticate: Authenticate;
  readonly may?: () => boolean;
}): Promise<void> {
  const log = new MemoryLog();
  const live = createLive({ log });
  const logged: { readonly err: Error }[] = [];
  const error = (fields: object) => logged.push(fields as { readonly err: Error });
  const logger = { debug() {}, info() {}, warn() {}, error } as never;
  const gateway = createGateway({ log, live, logger, ...options });
  const answers = [
    await gateway.fetch(new Request('http://x/accounts/1/events')),
    await gateway.fetch(new Request('http://x/accounts/1/events', { method: 'POST', body: '{}' })),
    await gateway.admit({ url: '/ws/1', headers: new Headers() }),
  ];
  for (const answer of answers) {
    if (!(answer instanceof Response)) throw new Error('somebody was let in');
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({
      code: 'internal',
      detail: 'something failed inside the gateway; its log says more',
    });
  }
  expect(logged).toHaveLength(answers.length);
  for (const { err } of logged) {
    expect(err).toBeInstanceOf(Error);
    expect(err.message.length).toBeLessThanOrEqual(10_000);
    expect(typeof err.stack).toBe('string');
  }
  await gateway.close();
  live.close();
}
