import { beforeEach, expect, test } from 'vitest';
import { accountLog } from '../../../src/event/log-name.ts';
import { Appending, type Sender } from '../../../src/gateway/appending.ts';
import { Access } from '../../../src/gateway/identity/access.ts';
import { LocalAppendRate } from '../../../src/gateway/limits/append-rate.ts';
import { InMemory } from '../../../src/gateway/limits/in-memory.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';

const OWN = accountLog('1');
const OTHER = accountLog('2');
const HAN: Sender = { identity: { account: '1' }, spender: 'account:1' };
const event = { type: 'T', payload: 1 };

let log: MemoryLog;
let appending: Appending;

beforeEach(() => {
  log = new MemoryLog();
  appending = new Appending({
    log,
    access: new Access({ authenticate: async () => ({ account: '1' }) }),
    appendRate: new LocalAppendRate({ rate: 1, burst: 2 }, () => 0),
    inMemory: new InMemory(1_000),
  });
});

/** As a socket does it, and as HTTP does it. */
const ways = {
  read: async (to = OWN, bytes = 10) => {
    const appended = appending.append(HAN, to, { events: [event] }, bytes);
    return appended.finally(() => appending.answered(bytes));
  },
  unread: (to = OWN) => appending.appendUnread(HAN, to, (append) => append({ events: [event] })),
};
const both = Object.entries(ways);

test.each(both)('%s: the gateway says whose events they are', async (_name, append) => {
  await append();
  const { events } = await log.read(OWN);
  expect(events.map(({ meta }) => meta)).toEqual([{ from: 'account:1' }]);
});

test.each(both)('%s: who may not is refused, and nothing is appended', async (_name, append) => {
  await expect(append(OTHER)).rejects.toMatchObject({ code: 'forbidden' });
  expect((await log.read(OTHER)).events).toEqual([]);
});

test.each(both)('%s: an append too many is told when to come back', async (_name, append) => {
  await append();
  await append();
  await expect(append()).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 1_000 });
});

test('what is refused after it was read counts, over both', async () => {
  await expect(ways.read(OTHER)).rejects.toMatchObject({ code: 'forbidden' });
  const broken = () => Promise.reject(new Error('no JSON'));
  await expect(appending.appendUnread(HAN, OWN, broken)).rejects.toThrow('no JSON');
  await expect(ways.read()).rejects.toMatchObject({ code: 'rate_limited' });
});

test('who may not append at all is neither read from nor charged', async () => {
  let asked = false;
  const read = async () => {
    asked = true;
    throw new Error('read');
  };
  for (let count = 0; count < 3; count += 1) {
    await expect(appending.appendUnread(HAN, OTHER, read)).rejects.toMatchObject({
      code: 'forbidden',
    });
  }
  expect(asked).toBe(false);
  await ways.read();
});

test('what one takes is free again when it is answered, and a refusal takes nothing', async () => {
  const held = appending.append(HAN, OWN, { events: [event] }, 900);
  expect(() => appending.append(HAN, OWN, { events: [event] }, 900)).toThrow(
    expect.objectContaining({ code: 'overloaded' }),
  );
  await held;
  appending.answered(900);
  const again = { identity: HAN.identity, spender: 'another' };
  await appending.append(again, OWN, { events: [event] }, 900);
});
