/** Answers that cannot be brought to their end: the connection is cut, and nobody is shown an error but the logger. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { accountLog } from '../../src/event/log-name.ts';
import { SILENT } from '../../src/gateway/logger.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { Client, type RunningGateway, startGateway } from './gateway-client.ts';

const LOG = accountLog('1');
const OTHER = accountLog('2');
/** More than the network takes by itself. */
const LARGE = '\u0001'.repeat(2_097_152);

class LogThatBreaks extends MemoryLog {
  isBroken = false;

  override async read(...args: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
    if (this.isBroken) throw new Error('it broke');
    return super.read(...args);
  }
}

let log: LogThatBreaks;
let running: RunningGateway;
let logged: string[];
let opened: { destroy(): void }[];
const said = [vi.spyOn(console, 'error'), vi.spyOn(console, 'info')];

beforeEach(() => {
  for (const spy of said) spy.mockReset();
  [log, logged, opened] = [new LogThatBreaks({ limits: { maxPayloadBytes: 4_194_304 } }), [], []];
});

afterEach(async () => {
  for (const each of opened) each.destroy();
  await running.stop();
});

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  const logger = { ...SILENT, error: (_: object, message: string) => void logged.push(message) };
  running = await startGateway({ log, logger, limits: { largeEventBytes: 1 }, ...options });
  for (const each of [LOG, OTHER]) await log.append(each, [{ type: 'Large', payload: LARGE }]);
}

async function stuck(accept: string, account = '1'): Promise<IncomingMessage> {
  const address = `${running.url}/accounts/${account}/events`;
  const [response] = await once(get(address, { headers: { accept } }), 'response');
  opened.push(response);
  await sleep(300);
  return response;
}

/** Now this one's event is the one that is kept, and the others have to be read again. */
const another = () => stuck('text/event-stream', '2');

async function rest(response: IncomingMessage): Promise<string> {
  let text = '';
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  await new Promise<void>((resolve) => response.on('close', resolve));
  expect(response.complete).toBe(false);
  return text;
}

function expectNothingSaid(text: string): void {
  expect(text).not.toContain('Error');
  for (const spy of said) expect(spy.mock.calls).toEqual([]);
}

test('an event stream whose reader may no longer be there, in the middle of an event', async () => {
  const expiresAt = Date.now() + 700;
  await start({ authenticate: async () => ({ account: '1', expiresAt }) });
  const response = await stuck('text/event-stream');
  await sleep(700);
  expectNothingSaid(await rest(response));
  expect(logged).toEqual([]);
});

test('a page of which an event is trimmed while it is sent', async () => {
  await start();
  const response = await stuck('application/json');
  await another();
  await log.trim(LOG, (await log.read(LOG, { limit: 0 })).version);
  expectNothingSaid(await rest(response));
  expect(logged).toEqual([]);
});

test.each(['text/event-stream', 'application/json'])(
  'a log that breaks in the middle of %s is told to the logger',
  async (accept) => {
    await start();
    const response = await stuck(accept);
    await another();
    log.isBroken = true;
    expectNothingSaid(await rest(response));
    expect(logged).toEqual([expect.stringContaining('could not be sent whole')]);
  },
);

test('a log that breaks in the middle of an event on a socket is told to the logger', async () => {
  await start();
  const client = await Client.open(`${running.socketUrl}/ws/1?format=json`);
  opened.push({ destroy: () => client.socket.terminate() });
  client.socket.pause();
  await sleep(300);
  await another();
  log.isBroken = true;
  client.socket.resume();
  expect(await client.closing).toEqual({ code: 1011, reason: 'event_gone' });
  expect(logged).toEqual(['an event could not be sent whole']);
  expectNothingSaid('');
});
