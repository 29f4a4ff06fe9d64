/** How a gateway ends, and how it treats sockets that are silent or slow. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { accountLog } from '../../../src/event/log-name.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { Client, type RunningGateway, startGateway as startOn } from '../../e2e/gateway-client.ts';
import { RawClient, UPGRADE_HEADERS } from '../../e2e/raw-client.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId } from '../../support/names.ts';
import { type ListenerUnderTest, without } from './listener-under-test.ts';

export function closing(listener: ListenerUnderTest): void {
  const startGateway = (options: Parameters<typeof startOn>[0] = {}) =>
    startOn(options, listener.listen);

  describe('how it ends, and treats sockets that are silent or slow', () => {
    let running: RunningGateway | undefined;

    afterEach(async () => {
      await running?.stop();
      running = undefined;
    });

    /** A log whose appends wait until they are let through. */
    class HeldLog extends MemoryLog {
      readonly held: (() => void)[] = [];

      override async append(
        ...call: Parameters<MemoryLog['append']>
      ): ReturnType<MemoryLog['append']> {
        await new Promise<void>((resolve) => {
          this.held.push(resolve);
        });
        return super.append(...call);
      }

      release(): void {
        for (const resolve of this.held.splice(0)) resolve();
      }
    }

    test('closing: appends under way are answered, then sockets close with 1001', async () => {
      const log = new HeldLog();
      running = await startGateway({ log });
      const writer = await Client.open(`${running.socketUrl}/ws/1?format=json`);
      const idle = await Client.open(`${running.socketUrl}/ws/2`);
      writer.send({ op: 'append', ref: 1, events: [{ type: 'T', payload: 1 }] });
      const posted = fetch(`${running.url}/accounts/3/events`, {
        method: 'POST',
        body: '{"type":"T","payload":1}',
      });
      await eventually(() => log.held.length === 2);
      const closed = running.listening.close();
      expect(await idle.closing).toEqual({ code: 1001, reason: 'shutting_down' });
      expect(writer.closed).toBe(false);
      log.release();
      expect(await writer.closing).toEqual({ code: 1001, reason: 'shutting_down' });
      expect(writer.frames.filter(({ op }) => op === 'appended')).toMatchObject([{ ref: 1 }]);
      expect((await posted).status).toBe(201);
      await closed;
    });

    test('closing: new connections are not taken', async () => {
      running = await startGateway();
      const { url, socketUrl } = running;
      await running.listening.close();
      await expect(fetch(url)).rejects.toThrow();
      await expect(Client.open(`${socketUrl}/ws/1`)).rejects.toThrow();
    });

    test('closing: a request on a kept connection is told to go elsewhere, an upgrade too', async () => {
      const log = new HeldLog();
      running = await startGateway({ log });
      const writer = await Client.open(`${running.socketUrl}/ws/1`);
      writer.send('event:1');
      await eventually(() => log.held.length === 1);
      const sockets = [1, 2].map(() => connect(running!.listening.port, '127.0.0.1'));
      const received = sockets.map((socket) => {
        const seen = { text: '' };
        socket.on('data', (chunk) => {
          seen.text += String(chunk);
        });
        socket.on('error', () => {});
        // The head is not complete: the connection is busy and stays.
        socket.write('GET /ws/1 HTTP/1.1\r\nHost: localhost\r\n');
        return seen;
      });
      await once(sockets[1]!, 'connect');
      await fetch(running.url);
      const closed = running.listening.close();
      sockets[0]!.write('\r\n');
      sockets[1]!.write(
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      for (const seen of received) {
        await eventually(() => seen.text.includes('"code":"shutting_down"'));
        expect(seen.text).toMatch(/^HTTP\/1\.1 503 /);
      }
      log.release();
      await closed;
    });

    test('closing: what does not end in time is cut', async () => {
      const log = new HeldLog();
      running = await startGateway({ log });
      const writer = await Client.open(`${running.socketUrl}/ws/1`);
      writer.send('event:1');
      const silent = connect(running.listening.port, '127.0.0.1');
      silent.on('error', () => {});
      silent.write(
        'POST /accounts/1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n[',
      );
      await eventually(() => log.held.length === 1);
      const started = performance.now();
      await running.listening.close(200);
      expect(performance.now() - started).toBeLessThan(2_000);
      expect((await writer.closing).code).toBe(1006);
      log.release();
    });

    test('a silent socket is closed, one that answers pings stays', async () => {
      running = await startGateway({ pingInterval: 100, idleTimeout: 400 });
      const alive = await Client.open(`${running.socketUrl}/ws/1`);
      const silent = new WebSocket(`${running.socketUrl}/ws/1`, { autoPong: false });
      let pings = 0;
      silent.on('ping', () => {
        pings += 1;
      });
      const [code, reason] = await once(silent, 'close');
      expect([code, String(reason)]).toEqual([1001, 'idle_timeout']);
      expect(pings).toBeGreaterThanOrEqual(2);
      alive.send('ping');
      expect(await alive.received(1)).toEqual(['pong']);
    });

    test.skipIf(without(listener, 'bytesTaken'))(
      'who takes long over one large message, but does take it, is not silent',
      async () => {
        const bytes = 24_000_000;
        const log = new MemoryLog({
          limits: { maxPayloadBytes: bytes, maxAppendBytes: bytes * 2 },
        });
        running = await startGateway({ log, pingInterval: 200, idleTimeout: 800 });
        await log.append(accountLog('1'), [{ type: 'Large', payload: 'x'.repeat(bytes) }]);
        const client = await new RawClient(running.listening.port).connected();
        const started = performance.now();
        let taken = 0;
        client.socket.removeAllListeners('data').on('data', (chunk) => {
          taken += chunk.length;
          // A link of some 4 MB a second.
          client.socket.pause();
          setTimeout(() => client.socket.resume(), chunk.length / 4_000);
        });
        client.head('GET /ws/1 HTTP/1.1', UPGRADE_HEADERS);
        await eventually(() => client.ended || taken > bytes, { timeout: 25_000 });
        expect(client.ended).toBe(false);
        expect(performance.now() - started).toBeGreaterThan(2_000);
        client.destroy();
      },
    );

    test('a slow socket is not pushed to, others do not wait, and it gets everything when it reads again', async () => {
      const log = new MemoryLog();
      running = await startGateway({ log });
      const account = randomId();
      const slow = await Client.open(`${running.socketUrl}/ws/${account}?format=json&after=now`);
      const quick = await Client.open(`${running.socketUrl}/ws/${account}?format=json&after=now`);
      await slow.frame(({ op }) => op === 'live');
      await quick.frame(({ op }) => op === 'live');
      slow.socket.pause();
      const payload = 'x'.repeat(50_000);
      const count = 400;
      for (let index = 0; index < count; index += 1) {
        await log.append(accountLog(account), [{ type: `T${index}`, payload }]);
      }
      await eventually(() => quick.messages.length >= count);
      expect(slow.messages.length).toBeLessThan(5);
      slow.socket.resume();
      await eventually(() => slow.events.length === count);
      expect(slow.events.map(({ type }) => type)).toEqual(
        Array.from({ length: count }, (_, index) => `T${index}`),
      );
    }, 60_000);

    test.skipIf(without(listener, 'reading'))(
      'a client that asks without end and reads nothing stops being read',
      async () => {
        running = await startGateway();
        const client = await Client.open(`${running.socketUrl}/ws/1?format=json&after=now`);
        await client.frame(({ op }) => op === 'live');
        client.socket.pause();
        const question = JSON.stringify({ op: 'dance', ref: 'x'.repeat(100) });
        let asked = 0;
        // When the gateway no longer reads, what is asked piles up on this side.
        await eventually(
          () => {
            for (let index = 0; index < 2_000; index += 1) client.send(question);
            asked += 2_000;
            return client.socket.bufferedAmount > 1_000_000;
          },
          { timeout: 30_000 },
        );
        client.socket.resume();
        await eventually(() => client.messages.length === asked + 1, { timeout: 30_000 });
      },
      60_000,
    );

    test.skipIf(without(listener, 'pongs'))(
      'a client that sends pings without end and reads nothing costs one pong',
      async () => {
        running = await startGateway();
        const client = await Client.open(`${running.socketUrl}/ws/1`);
        for (let index = 0; index < 10_000; index += 1) client.socket.ping(`${index}`);
        let last = '';
        client.socket.on('pong', (data) => {
          last = String(data);
        });
        await eventually(() => last === '9999');
        client.send('ping');
        expect(await client.received(1)).toEqual(['pong']);
      },
    );
  });
}
