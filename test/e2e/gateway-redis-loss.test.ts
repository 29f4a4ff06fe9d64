/** What those see who are connected while Redis loses what they have read: a word, and what comes then. */
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { accountLog } from '../../src/event/log-name.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Client, startGateway } from './gateway-client.ts';

const T = [{ type: 'T', payload: 1 }];

test.each(['del', 'flushall'])(
  '%s: sockets and event streams are told reset, though nothing comes after',
  async (how) => {
    const server = await RedisServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const admin = new Redis(server.url());
    onTestFinished(() => admin.disconnect());
    const log = await RedisLog.open(server.url(), { sweepInterval: 50 });
    const running = await startGateway({ log });
    onTestFinished(() => running.stop());
    const account = randomId();
    await log.append(accountLog(account), T);

    const json = await Client.open(`${running.socketUrl}/ws/${account}?format=json`);
    const plain = await Client.open(`${running.socketUrl}/ws/${account}`);
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const stream = await fetch(`${running.url}/accounts/${account}/events`, {
      headers: { accept: 'text/event-stream' },
      signal: abort.signal,
    });
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream.body!) text += Buffer.from(chunk).toString();
    })();
    reading.catch(() => {});
    await json.frame(({ op }) => op === 'live');
    await eventually(() => text.includes('event: live'));
    await plain.received(1);

    if (how === 'del') await admin.del(`${accountLog(account)}:log`);
    else await admin.flushall();
    expect(await json.frame(({ op }) => op === 'reset')).toMatchObject({ version: '0-0' });
    await eventually(() => plain.messages.some((line) => line.startsWith('notice: reset')));
    await eventually(() => text.includes('event: reset'));

    const { ids } = await log.append(accountLog(account), T);
    await eventually(() => json.events.at(-1)?.id === ids[0] && text.includes(ids[0]!));
  },
);
