/** Events that are many times as large on the wire as in the store, to clients that stop in the middle of them. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { accountLog, type LogName } from '../../../src/event/log-name.ts';
import { Unavailable } from '../../../src/event/store-errors.ts';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import {
  Client,
  type FrameEvent,
  type RunningGateway,
  startGateway as startOn,
} from '../../e2e/gateway-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type ListenerUnderTest, without } from './listener-under-test.ts';

export function largeEvents(listener: ListenerUnderTest): void {
  const startGateway = (options: Parameters<typeof startOn>[0] = {}) =>
    startOn(options, listener.listen);

  describe('large events to clients that stop in the middle of them', () => {
    const MEBIBYTE = 1_048_576;
    const LOG = accountLog('1');
    /** More than the network takes by itself. */
    const LARGE = '\u0001'.repeat(MEBIBYTE);
    const MANY = 4;

    let running: RunningGateway;
    const clients: Client[] = [];

    afterEach(async () => {
      for (const client of clients.splice(0)) client.socket.terminate();
      await running.stop();
    });

    async function start(
      options: Partial<GatewayOptions> & { log?: EventLog } = {},
    ): Promise<void> {
      running = await startGateway(options);
    }

    async function appendLarge(log: LogName = LOG, count = MANY): Promise<void> {
      for (let index = 0; index < count; index += 1) {
        await running.log.append(log, [{ type: `T${index}`, payload: LARGE }]);
      }
    }

    async function stalled(path: string): Promise<Client> {
      const client = await Client.open(running.socketUrl + path);
      clients.push(client);
      client.socket.pause();
      return client;
    }

    /** All that the network takes is on its way. */
    async function untilStuck(): Promise<void> {
      await sleep(300);
    }

    function expectLarge(events: readonly FrameEvent[]): void {
      expect(events.map(({ type }) => type)).toEqual(['T0', 'T1', 'T2', 'T3', 'Last']);
      expect(events.slice(0, MANY).every(({ payload }) => payload === LARGE)).toBe(true);
    }

    test('a JSON socket that stops in the middle gets all, in order, and the answers between', async () => {
      await start();
      await appendLarge();
      const client = await stalled('/ws/1?format=json');
      await untilStuck();
      let pongs = 0;
      client.socket.on('pong', () => {
        pongs += 1;
      });
      client.send({ op: 'append', ref: 1, events: [{ type: 'Last', payload: 'x' }] });
      client.send({ op: 'ping', ref: 2 });
      client.socket.ping();
      await eventually(async () => (await running.log.read(LOG, { limit: 0 })).version !== '0-0');
      client.socket.resume();
      await eventually(() => client.messages.length >= MANY + 4, {
        timeout: 20_000,
        interval: 100,
      });
      const { frames } = client;
      expectLarge(client.events);
      expect(frames.map(({ op }) => op).filter((op) => op !== 'events')).toEqual(
        expect.arrayContaining(['live', 'appended', 'pong']),
      );
      expect(pongs).toBe(1);
    }, 30_000);

    test('a plain text socket that stops in the middle gets all, in order', async () => {
      await start();
      await appendLarge();
      const client = await stalled('/ws/1');
      await untilStuck();
      await running.log.append(LOG, [{ type: 'Last', payload: 'x' }]);
      client.socket.resume();
      await eventually(() => client.messages.length === MANY + 1, {
        timeout: 20_000,
        interval: 100,
      });
      const lengths = client.messages.map((message) => message.length);
      expect(lengths.slice(0, MANY).every((length) => length > MEBIBYTE)).toBe(true);
      expect(client.messages.at(-1)).toContain('type: Last');
    }, 30_000);

    async function request(path: string, accept: string): Promise<IncomingMessage> {
      const [response] = await once(get(running.url + path, { headers: { accept } }), 'response');
      return response as IncomingMessage;
    }

    test('an event stream that stops in the middle gets all, in order', async () => {
      await start();
      await appendLarge();
      const response = await request('/accounts/1/events', 'text/event-stream');
      await untilStuck();
      await running.log.append(LOG, [{ type: 'Last', payload: 'x' }]);
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      await eventually(() => text.includes('"Last"') && text.includes('event: live'), {
        timeout: 20_000,
        interval: 100,
      });
      response.destroy();
      const data = [...text.matchAll(/(?<=\n\n)id: \S+\ndata: (.*)\n\n/g)].map(([, json]) => json);
      expectLarge(data.map((json) => JSON.parse(json ?? '') as FrameEvent));
    }, 30_000);

    test('a page that is taken slowly is whole', async () => {
      await start();
      await running.log.append(LOG, [{ type: 'Small', payload: 'y' }]);
      await appendLarge();
      await running.log.append(LOG, [{ type: 'Last', payload: 'x' }]);
      const seen: string[] = [];
      for (let cursor = '0-0', more = true; more; ) {
        const response = await request(`/accounts/1/events?after=${cursor}`, '*/*');
        await untilStuck();
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        const page = JSON.parse(text);
        seen.push(...page.events.map(({ type }: FrameEvent) => type));
        ({ cursor, more } = page);
      }
      expect(seen).toEqual(['Small', 'T0', 'T1', 'T2', 'T3', 'Last']);
    }, 30_000);

    test('many small events that are six times as large on the wire go in pieces too', async () => {
      await start();
      const payload = '\u0001'.repeat(600);
      const events = Array.from({ length: 1_000 }, (_, index) => ({ type: `T${index}`, payload }));
      for (let round = 0; round < 4; round += 1) await running.log.append(LOG, events);
      const client = await stalled('/ws/1?format=json');
      await untilStuck();
      client.socket.resume();
      await eventually(() => client.messages.at(-1)?.includes('"op":"live"') === true, {
        timeout: 20_000,
        interval: 100,
      });
      expect(client.events.map(({ type }) => type)).toEqual(
        Array.from({ length: 4_000 }, (_, index) => `T${index % 1_000}`),
      );
    }, 30_000);

    test('an event comes to many at once, and to each of them once', async () => {
      await start();
      const readers = await Promise.all(
        Array.from({ length: 10 }, async () => {
          const client = await Client.open(`${running.socketUrl}/ws/1?format=json`);
          clients.push(client);
          return client;
        }),
      );
      for (const client of readers) await client.received(1);
      await appendLarge(LOG, 2);
      for (const client of readers) {
        await eventually(() => client.messages.length === 3, { timeout: 20_000, interval: 50 });
        expect(client.events.map(({ type }) => type)).toEqual(['T0', 'T1']);
        expect(client.events.every(({ payload }) => payload === LARGE)).toBe(true);
      }
    }, 30_000);

    test.skipIf(without(listener, 'frames'))(
      'more of them than are kept: each is read again from the log',
      async () => {
        await start({ limits: { largeEventBytes: 1 } });
        const logs = ['1', '2', '3'];
        for (const id of logs) await appendLarge(accountLog(id), 2);
        const readers = await Promise.all(logs.map((id) => stalled(`/ws/${id}?format=json`)));
        await untilStuck();
        for (const client of readers) client.socket.resume();
        for (const client of readers) {
          await eventually(() => client.messages.length === 3, { timeout: 20_000, interval: 50 });
          expect(client.events.map(({ type }) => type)).toEqual(['T0', 'T1']);
          expect(client.events.every(({ payload }) => payload === LARGE)).toBe(true);
        }
      },
      30_000,
    );

    class LogThatIsAway extends MemoryLog {
      away = false;
      refused = 0;

      override async read(...args: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
        if (!this.away) return super.read(...args);
        this.refused += 1;
        throw new Unavailable('it is away');
      }
    }

    test.skipIf(without(listener, 'frames'))(
      'a store that is away in the middle of an event is waited for',
      async () => {
        const log = new LogThatIsAway();
        await start({ log, limits: { largeEventBytes: 1 } });
        await appendLarge(LOG, 1);
        await appendLarge(accountLog('2'), 1);
        const client = await stalled('/ws/1?format=json');
        await untilStuck();
        // Now this one's is the one that is kept.
        await stalled('/ws/2?format=json');
        await untilStuck();
        log.away = true;
        client.socket.resume();
        await eventually(() => log.refused > 1);
        expect(client.messages).toEqual([]);
        log.away = false;
        await eventually(() => client.messages.length === 2, { timeout: 20_000, interval: 50 });
        expect(client.events[0]?.payload).toBe(LARGE);
      },
      30_000,
    );

    test.skipIf(without(listener, 'frames'))(
      'an event that is trimmed in the middle ends the socket, and whoever comes again is told',
      async () => {
        await start({ limits: { largeEventBytes: 1 } });
        await running.log.append(LOG, [{ type: 'First', payload: 1 }]);
        await appendLarge(LOG, 1);
        await appendLarge(accountLog('2'), 1);
        const client = await stalled('/ws/1?format=json');
        await untilStuck();
        await stalled('/ws/2?format=json');
        await untilStuck();
        const { events, version } = await running.log.read(LOG);
        await running.log.trim(LOG, version);
        client.socket.resume();
        expect(await client.closing).toEqual({ code: 1011, reason: 'event_gone' });
        expect(client.events.map(({ type }) => type)).toEqual(['First']);
        const again = await Client.open(
          `${running.socketUrl}/ws/1?format=json&after=${events[0]?.id}`,
        );
        clients.push(again);
        await again.frame(({ op }) => op === 'trimmed');
      },
      30_000,
    );
  });
}
