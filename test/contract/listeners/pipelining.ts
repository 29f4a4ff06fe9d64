/** Many requests on one connection, sent without waiting for answers. */
import { afterEach, describe, expect, test } from 'vitest';
import { accountLog } from '../../../src/event/log-name.ts';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { type RunningGateway, startGateway as startOn } from '../../e2e/gateway-client.ts';
import { RawClient, UPGRADE_HEADERS } from '../../e2e/raw-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type ListenerUnderTest, without } from './listener-under-test.ts';

export function pipelining(listener: ListenerUnderTest): void {
  const startGateway = (options: Parameters<typeof startOn>[0] = {}) =>
    startOn(options, listener.listen);

  describe('many requests on one connection', () => {
    const LOG = accountLog('1');

    let running: RunningGateway;
    const clients: RawClient[] = [];

    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      await running.stop();
    });

    async function start(options: Parameters<typeof startGateway>[0] = {}): Promise<void> {
      running = await startGateway(options);
    }

    function connect(): RawClient {
      const client = new RawClient(running.listening.port);
      clients.push(client);
      return client;
    }

    function answers(client: RawClient): number {
      return client.received.match(/HTTP\/1\.1 2\d\d /g)?.length ?? 0;
    }

    /** A log whose reads and appends wait until they are let go. */
    class HeldLog extends MemoryLog {
      under = 0;
      most = 0;
      #letGo = () => {};
      readonly #held = new Promise<void>((resolve) => {
        this.#letGo = resolve;
      });

      letGo(): void {
        this.#letGo();
      }

      override async read(...args: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
        this.under += 1;
        this.most = Math.max(this.most, this.under);
        await this.#held;
        this.under -= 1;
        return super.read(...args);
      }
    }

    test('all are answered in their order, however many come at once', async () => {
      await start();
      const events = Array.from({ length: 300 }, (_, index) => ({
        type: `T${index}`,
        payload: 'x',
      }));
      await running.log.append(LOG, events);
      const { events: stored } = await running.log.read(LOG, { limit: 300 });
      const client = connect();
      const requests = stored.map(
        ({ id }, index) =>
          `GET /accounts/1/events?limit=1&after=${stored[index - 1]?.id ?? '0-0'} HTTP/1.1\r\nHost: localhost\r\nX-Of: ${id}\r\n\r\n`,
      );
      client.write(requests.join(''));
      await eventually(() => answers(client) === 300);
      const types = [...client.received.matchAll(/"type":"T(\d+)"/g)].map(([, index]) =>
        Number(index),
      );
      expect(types).toEqual(events.map((_, index) => index));
    });

    test('bodies that come in parts, and later, belong to their requests', async () => {
      await start();
      const client = connect();
      const post = (index: number) => {
        const body = JSON.stringify({ type: `T${index}`, payload: 'x'.repeat(20_000) });
        return `POST /accounts/1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      };
      const bytes = Array.from({ length: 40 }, (_, index) => post(index)).join('');
      for (let at = 0; at < bytes.length; at += 30_011) {
        client.write(bytes.slice(at, at + 30_011));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await eventually(() => answers(client) === 40);
      const { events } = await running.log.read(LOG, { limit: 100, maxBytes: 10_000_000 });
      expect(events.map(({ type }) => type).sort()).toEqual(
        Array.from({ length: 40 }, (_, index) => `T${index}`).sort(),
      );
    });

    test.skipIf(without(listener, 'pipelining'))(
      'a few are worked on at a time, and the rest is not read',
      async () => {
        const log = new HeldLog();
        await start({ log });
        const client = connect();
        const request = 'GET /accounts/1/events HTTP/1.1\r\nHost: localhost\r\n\r\n';
        client.write(request.repeat(500));
        await eventually(() => log.under === 8);
        // All that one read of the network can have brought has been looked at by now.
        client.write(request.repeat(200_000));
        await eventually(() => client.socket.writableLength > 0);
        await fetch(running.url);
        const left = client.socket.writableLength;
        await fetch(running.url);
        expect(client.socket.writableLength).toBe(left);
        expect(log.most).toBe(8);
        log.letGo();
      },
    );

    test.skipIf(without(listener, 'pipelining'))(
      'whoever sends more at once than may wait is cut',
      async () => {
        const log = new HeldLog();
        await start({ log });
        const client = connect();
        client.write('GET /accounts/1/events HTTP/1.1\r\n\r\n'.repeat(1_600));
        await client.closed;
        log.letGo();
        expect((await fetch(running.url)).status).toBe(200);
      },
    );

    test.skipIf(without(listener, 'pipelining'))(
      'an upgrade behind requests that are not answered is cut: no answer passes for a frame',
      async () => {
        const log = new HeldLog();
        await start({ log });
        const client = connect();
        client.head('GET /accounts/1/events HTTP/1.1');
        client.head('GET /ws/1 HTTP/1.1', UPGRADE_HEADERS);
        await client.closed;
        expect(client.received).toBe('');
        log.letGo();
      },
    );

    test.skipIf(without(listener, 'pipelining'))(
      'bytes that are no request, behind requests that are not answered, end the connection',
      async () => {
        const log = new HeldLog();
        await start({ log });
        const client = connect();
        for (let count = 0; count < 3; count += 1) client.head('GET /accounts/1/events HTTP/1.1');
        client.write('garbage\r\n\r\n');
        await client.closed;
        expect(client.received).toBe('');
        log.letGo();
      },
    );

    test.skipIf(without(listener, 'answers'))(
      'answers that nobody takes make room for new ones, the oldest first',
      async () => {
        const limits: GatewayOptions['limits'] = { maxAnswerBytesTogether: 24 * 1_048_576 };
        await start({ limits });
        await running.log.append(LOG, [{ type: 'T', payload: '\u0001'.repeat(1_048_576) }]);
        const stalled = [];
        for (let count = 0; count < 6; count += 1) {
          const client = connect();
          client.socket.pause();
          client.head('GET /accounts/1/events HTTP/1.1');
          stalled.push(client);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const page = await fetch(`${running.url}/accounts/1/events`);
        expect(((await page.json()) as { events: unknown[] }).events).toHaveLength(1);
        stalled[0]?.socket.resume();
        await stalled[0]?.closed;
      },
    );
  });
}
