/** The gateway without a runtime: web standards alone. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountLog } from '../../../src/event/log-name.ts';
import { createGateway, type Gateway } from '../../../src/gateway/gateway.ts';
import { createLive } from '../../../src/live/create-live.ts';
import type { Live } from '../../../src/live/live.ts';
import type { Page } from '../../../src/log/log.ts';
import { jsonFormat } from '../../../src/protocol/json-format.ts';
import { textFormat } from '../../../src/protocol/text.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { FakeSocket } from './fakes.ts';

let log: MemoryLog;
let live: Live;
let gateway: Gateway;

beforeEach(() => {
  log = new MemoryLog();
  live = createLive({ log });
  gateway = createGateway({ log, live });
});

afterEach(async () => {
  await gateway.close();
  live.close();
  await log.close();
});

test('it answers requests', async () => {
  const response = await gateway.fetch(new Request('http://x/'));
  expect([response.status, await response.text()]).toEqual([200, 'Healthy']);
});

test('it admits upgrades by address and headers', async () => {
  const json = new Request('http://x/ws/a.b?after=5-1', {
    headers: { 'sec-websocket-protocol': 'other, millrace.json.v1' },
  });
  expect(await gateway.admit(json)).toEqual({
    identity: { account: 'a.b' },
    accountId: 'a.b',
    follows: true,
    log: 'account:a.b',
    start: { after: '5-1' },
    format: jsonFormat,
    subprotocol: 'millrace.json.v1',
    place: { leave: expect.any(Function) },
  });
  expect(await gateway.admit({ url: '/ws/1', headers: new Headers() })).toMatchObject({
    format: textFormat,
    start: { after: '0-0' },
  });
  const refused = await gateway.admit({ url: '/ws/%20', headers: new Headers() });
  expect(refused).toMatchObject({ status: 400 });
});

test('an account of an application’s own authenticate is one, or nobody', async () => {
  let account: unknown;
  const authenticate = async () => ({ account }) as { account: string };
  await gateway.close();
  gateway = createGateway({ log, live, authenticate });
  const admit = async () => {
    const admission = await gateway.admit({ url: '/ws', headers: new Headers() });
    return admission instanceof Response ? admission.status : admission.accountId;
  };
  account = 42;
  expect(await admit()).toBe('42');
  for (account of [undefined, null, 2 ** 53, -1, 1.5, ['1'], 'a b'])
    expect(await admit()).toBe(401);
});

test('an accepted socket gets what is appended, until it is gone', async () => {
  const admission = await gateway.admit({ url: '/ws/1?format=json', headers: new Headers() });
  if (admission instanceof Response) throw new Error('refused');
  const socket = new FakeSocket();
  const session = gateway.accept(socket, admission);
  session.receive('{"op":"append","ref":1,"events":[{"type":"T","payload":1}]}');
  await expect.poll(() => socket.delivered.length).toBe(1);
  await expect.poll(() => socket.told.some(({ op }) => op === 'appended')).toBe(true);
  session.closed();
  await log.append(admission.log, [{ type: 'T', payload: 2 }]);
  expect(socket.delivered).toHaveLength(1);
});

test('a closing gateway refuses requests and upgrades, and closes sockets', async () => {
  const admission = await gateway.admit({ url: '/ws/1', headers: new Headers() });
  if (admission instanceof Response) throw new Error('refused');
  const socket = new FakeSocket();
  gateway.accept(socket, admission);
  await gateway.close();
  expect(socket.closedWith).toEqual({ code: 1001, reason: 'shutting_down' });
  expect((await gateway.fetch(new Request('http://x/'))).status).toBe(503);
  expect(await gateway.admit({ url: '/ws/1', headers: new Headers() })).toMatchObject({
    status: 503,
  });
  gateway.terminate();
  expect(socket.terminated).toBe(true);
});

test('pages share the budget of all reads, however many are asked for at once', async () => {
  let underWay = 0;
  let most = 0;
  class WatchedLog extends MemoryLog {
    override async read(...request: Parameters<MemoryLog['read']>): Promise<Page> {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return super.read(...request);
    }
  }
  const watched = new WatchedLog();
  await watched.append(accountLog('1'), [{ type: 'T', payload: 1 }]);
  const readBudget = 4 * 1_048_576;
  const sharing = createGateway({ log: watched, live: createLive({ log: watched, readBudget }) });
  const responses = await Promise.all(
    Array.from({ length: 1_000 }, () => sharing.fetch(new Request('http://x/accounts/1/events'))),
  );
  expect(responses.every(({ status }) => status === 200)).toBe(true);
  // A page asks for 256 KiB.
  expect(most).toBeLessThanOrEqual(16);
  await sharing.close();
});
