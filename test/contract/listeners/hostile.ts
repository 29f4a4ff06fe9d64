/** Clients that mean harm, one kind a test: each is refused or cut, and others are served meanwhile. */
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { Client, type RunningGateway, startGateway as startOn } from '../../e2e/gateway-client.ts';
import { clientFrame, RawClient, UPGRADE_HEADERS } from '../../e2e/raw-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type ListenerUnderTest, without } from './listener-under-test.ts';

export function clientsThatMeanHarm(listener: ListenerUnderTest): void {
  const startGateway = (options: Parameters<typeof startOn>[0] = {}) =>
    startOn(options, listener.listen);

  describe('clients that mean harm', () => {
    const GIBIBYTE = 1_073_741_824;

    let running: RunningGateway;
    const clients: RawClient[] = [];

    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      await running.stop();
    });

    async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
      running = await startGateway(options);
    }

    function connect(): RawClient {
      const client = new RawClient(running.listening.port);
      clients.push(client);
      return client;
    }

    async function upgraded(headers: readonly string[] = []): Promise<RawClient> {
      const client = connect();
      client.head('GET /ws/1?format=json HTTP/1.1', [...UPGRADE_HEADERS, ...headers]);
      await eventually(() => client.status === 101);
      return client;
    }

    async function expectServed(): Promise<void> {
      const client = await Client.open(`${running.socketUrl}/ws/9`);
      client.send('ping');
      expect(await client.received(1)).toEqual(['pong']);
      await client.close();
      expect((await fetch(running.url)).status).toBe(200);
    }

    test.skipIf(without(listener, 'farewell')).each([
      ['1 GiB', GIBIBYTE],
      ['2^53 bytes', 2 ** 53],
      ['257 KiB', 257 * 1_024],
    ])('a frame that says it has %s is refused by its header alone', async (_what, length) => {
      await start();
      const before = process.memoryUsage();
      const client = await upgraded();
      client.write(clientFrame(1, Buffer.alloc(0), { length }));
      await eventually(() => client.received.includes('"code":"frame_too_large"'));
      await client.closed;
      expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 1_048_576);
      await expectServed();
    });

    test.skipIf(without(listener, 'farewell'))(
      'a message in pieces may not grow beyond the limit either',
      async () => {
        await start();
        const client = await upgraded();
        const piece = Buffer.alloc(32_768, 'x');
        client.write(clientFrame(1, piece, { final: false }));
        for (let count = 0; count < 20; count += 1)
          client.write(clientFrame(0, piece, { final: false }));
        await client.closed;
        expect(client.received).toContain('"code":"frame_too_large"');
        await expectServed();
      },
    );

    test.skipIf(without(listener, 'farewell'))(
      'compression is not negotiated, so a bomb is a broken frame',
      async () => {
        await start();
        const client = await upgraded([
          'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
        ]);
        expect(client.received.toLowerCase()).not.toContain('sec-websocket-extensions');
        const bomb = gzipSync(Buffer.alloc(50 * 1_048_576));
        client.write(clientFrame(1, bomb.subarray(0, 60_000), { reserved: 0x40 }));
        await client.closed;
        expect(client.received).toContain('"code":"invalid_frame"');
        await expectServed();
      },
    );

    test('a compressed body is not unpacked', async () => {
      await start();
      const response = await fetch(`${running.url}/accounts/1/events`, {
        method: 'POST',
        headers: { 'content-encoding': 'gzip' },
        body: gzipSync(Buffer.alloc(50 * 1_048_576)),
      });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'invalid_utf8' });
    });

    test.skipIf(without(listener, 'requestTimeouts'))(
      'headers that come byte by byte are cut off with 408, whether HTTP or upgrade',
      async () => {
        await start({ limits: { headerTimeout: 400 } });
        for (const line of ['GET / HTTP/1.1', 'GET /ws/1 HTTP/1.1']) {
          const client = connect();
          const bytes = `${[line, ...UPGRADE_HEADERS].join('\r\n')}\r\nX-Slow: ${'x'.repeat(1_000)}`;
          let sent = 0;
          const drip = setInterval(() => {
            client.write(bytes[sent] ?? 'x');
            sent += 1;
          }, 10);
          await client.closed;
          clearInterval(drip);
          expect(client.status).toBe(408);
          expect(client.problem.code).toBe('request_timeout');
          expect(sent).toBeLessThan(400);
        }
      },
    );

    test.skipIf(without(listener, 'requestTimeouts'))(
      'a connection that says nothing at all is cut',
      async () => {
        await start({ limits: { headerTimeout: 300 } });
        const client = await connect().connected();
        await client.closed;
        await expectServed();
      },
    );

    test.skipIf(without(listener, 'requestTimeouts'))(
      'a body that comes byte by byte is cut, and costs the log nothing',
      async () => {
        await start({ limits: { headerTimeout: 300, requestTimeout: 500 } });
        for (const length of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
          const client = connect();
          client.head('POST /accounts/1/events HTTP/1.1', ['Host: localhost', length]);
          const drip = setInterval(() => {
            client.write(length.startsWith('C') ? ' ' : '1\r\n \r\n');
          }, 20);
          await client.closed;
          clearInterval(drip);
          expect([400, 408]).toContain(client.status);
          expect(['request_timeout', 'body_incomplete']).toContain(client.problem.code);
        }
        await expectServed();
      },
    );

    test('a peer that does not take what it asked for is cut when nothing moves', async () => {
      await start({ pingInterval: 250, idleTimeout: 800 });
      const events = Array.from({ length: 4 }, () => ({ type: 'T', payload: 'x'.repeat(200_000) }));
      const { log } = running;
      await log.append('account:1' as Parameters<typeof log.append>[0], events);
      const client = connect();
      for (let count = 0; count < 60; count += 1) {
        client.head('GET /accounts/1/events HTTP/1.1');
      }
      await eventually(() => client.status === 200);
      client.socket.pause();
      // Only a write can tell, because it must not read; rarely enough to be no sign of life.
      const gone = () => {
        client.write('\r\n');
        return client.ended;
      };
      await eventually(gone, { interval: 1_500, timeout: 15_000 });
      await expectServed();
    });

    test.skipIf(without(listener, 'refusals')).each([
      ['one header', [`X-Large: ${'x'.repeat(20_000)}`]],
      ['many headers', Array.from({ length: 2_500 }, (_, index) => `X-${index}: y`)],
      ['many cookies', [`Cookie: ${'a=b; '.repeat(5_000)}`]],
    ])('headers that are too long, by %s, are answered with 431', async (_what, headers) => {
      await start();
      for (const line of ['GET / HTTP/1.1', 'GET /ws/1 HTTP/1.1']) {
        const client = connect().head(line, [...UPGRADE_HEADERS, ...headers]);
        await client.closed;
        expect(client.status).toBe(431);
        expect(client.problem.code).toBe('headers_too_large');
      }
      await expectServed();
    });

    test.skipIf(without(listener, 'refusals')).each([
      ['path', `/ws/${'a'.repeat(100_000)}`],
      ['query', `/accounts/1/events?after=${'1'.repeat(100_000)}`],
    ])('an address whose %s is too long is answered with 431', async (_what, path) => {
      await start();
      const client = connect().head(`GET ${path} HTTP/1.1`, UPGRADE_HEADERS);
      await client.closed;
      expect(client.status).toBe(431);
      expect(client.problem.code).toBe('headers_too_large');
    });

    test.skipIf(without(listener, 'refusals')).each([
      ['bytes that are no HTTP', Buffer.from([0x16, 3, 1, 2, 0, 1, 0]), 'invalid_http'],
      ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'invalid_http'],
      [
        'a length and chunks',
        'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
        'invalid_http',
      ],
      ['a length that is none', 'Content-Length: -5\r\n', 'invalid_http'],
      ['another expectation', 'Expect: a-miracle\r\nContent-Length: 2\r\n', 'invalid_header'],
      ['a header with a line break inside', 'X-A: b\r\n c\r\n', 'invalid_http'],
    ] as const)('%s: a clear answer, and no second one', async (_what, bytes, code) => {
      await start();
      const client = connect();
      if (typeof bytes !== 'string') client.write(bytes);
      else client.write(`POST /accounts/1/events HTTP/1.1\r\nHost: localhost\r\n${bytes}\r\n[]`);
      await client.closed;
      expect(client.problem.code).toBe(code);
      expect(client.received.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
      await expectServed();
    });

    test('a chunked body beyond the limit is refused while it comes', async () => {
      await start({ limits: { maxBodyBytes: 100_000 } });
      const client = connect();
      client.head('POST /accounts/1/events HTTP/1.1', [
        'Host: localhost',
        'Transfer-Encoding: chunked',
      ]);
      const chunk = `8000\r\n${' '.repeat(32_768)}\r\n`;
      for (let count = 0; count < 10; count += 1) client.write(chunk);
      await eventually(() => client.status === 413);
      expect(client.received).toContain('"code":"body_too_large"');
      await expectServed();
    });
  });
}
