/** Bad input over real connections: a clear error each, and the connection stays where it can. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Client,
  type Refused,
  type RunningGateway,
  refusedUpgrade as refused,
  startGateway as startOn,
  type UpgradeOptions,
} from '../../e2e/gateway-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type ListenerUnderTest, without } from './listener-under-test.ts';

export function brokenInput(listener: ListenerUnderTest): void {
  const startGateway = (options: Parameters<typeof startOn>[0] = {}) =>
    startOn(options, listener.listen);

  describe('bad input', () => {
    let running: RunningGateway;

    beforeEach(async () => {
      running = await startGateway();
    });

    afterEach(() => running.stop());

    function refusedUpgrade(path: string, options: UpgradeOptions = {}): Promise<Refused> {
      return refused(`${running.socketUrl}${path}`, options);
    }

    /** A socket by hand, for bytes that no client library sends. */
    async function rawSocket(path = '/ws/1?format=json'): Promise<Socket> {
      const socket = connect(running.listening.port, '127.0.0.1');
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
      const [head] = await once(socket, 'data');
      expect(String(head)).toMatch(/^HTTP\/1\.1 101 /);
      return socket;
    }

    /** A masked client frame whose mask is zero. */
    function frame(opcode: number, payload: Buffer, final = true): Buffer {
      const head = Buffer.alloc(payload.length < 126 ? 6 : 8);
      head[0] = (final ? 0x80 : 0) | opcode;
      head[1] = 0x80 | Math.min(payload.length, 126);
      if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
      return Buffer.concat([head, payload]);
    }

    async function untilEnd(socket: Socket): Promise<string> {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      await once(socket, 'close');
      return text;
    }

    test.each([
      ['a bad account ID', '/ws/a%20b', {}, 400, 'invalid_account'],
      ['no account ID', '/ws/', {}, 400, 'invalid_account'],
      ['an account ID with bad escapes', '/ws/%ff', {}, 400, 'invalid_account'],
      ['a long account ID', `/ws/${'a'.repeat(129)}`, {}, 400, 'invalid_account'],
      ['a bad cursor', '/ws/1?after=x', {}, 400, 'invalid_event_id'],
      ['a bad time', '/ws/1?since=x', {}, 400, 'invalid_time'],
      ['two starts', '/ws/1?since=2020-01-01&after=now', {}, 400, 'invalid_query'],
      ['a bad format', '/ws/1?format=xml', {}, 400, 'invalid_query'],
      ['another subprotocol', '/ws/1', { protocol: 'mqtt' }, 400, 'unsupported_subprotocol'],
      ['a foreign origin', '/ws/1', { origin: 'https://example.com' }, 403, 'forbidden_origin'],
      ['an origin that hides', '/ws/1', { origin: 'null' }, 403, 'forbidden_origin'],
    ] as const)('an upgrade with %s', async (_what, path, options, status, code) => {
      const answer = await refusedUpgrade(path, options);
      expect(answer).toMatchObject({ status, type: 'application/problem+json' });
      expect(JSON.parse(answer.body)).toMatchObject({ status, code, title: expect.any(String) });
    });

    test('an upgrade on another path is Not Found', async () => {
      expect(await refusedUpgrade('/other')).toMatchObject({ status: 404, body: 'Not Found' });
      expect(await refusedUpgrade('/ws/1/2')).toMatchObject({ status: 404, body: 'Not Found' });
    });

    test('loopback origins may connect', async () => {
      for (const origin of ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:80']) {
        const client = await Client.open(`${running.socketUrl}/ws/1`, { origin });
        client.send('ping');
        expect(await client.received(1)).toEqual(['pong']);
      }
    });

    test.skipIf(without(listener, 'refusals')).each([
      [
        'a bad key',
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n',
      ],
      ['no key', 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'],
      [
        'a wrong version',
        'Upgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
      ],
      ['another protocol', 'Upgrade: h2c\r\n'],
    ])(
      'a handshake with %s is answered with problem details and does not hang',
      async (_what, headers) => {
        const socket = connect(running.listening.port, '127.0.0.1');
        socket.write(
          `GET /ws/1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n${headers}\r\n`,
        );
        const answer = await untilEnd(socket);
        expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
        expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'invalid_upgrade' });
      },
    );

    test('text: an error line says what was expected, and the socket stays open', async () => {
      const client = await Client.open(`${running.socketUrl}/ws/1`);
      client.send('hello');
      client.send('event:a b');
      client.send('event:2:a\u0007:payload');
      client.send('ping');
      const messages = await client.received(4);
      expect(messages[0]).toMatch(
        /^error: expected ping, event:<account ID> or .*\(unknown_operation\)$/,
      );
      expect(messages[1]).toMatch(
        /^error: .*must be 1 to 128 characters of .*\(invalid_account\)$/,
      );
      expect(messages.slice(2).sort()[0]).toMatch(/^error: events\[0\]\.type .*\(invalid_event\)$/);
    });

    test('JSON: malformed, unknown and binary messages each get their own error, and the socket stays open', async () => {
      const client = await Client.open(`${running.socketUrl}/ws/1?format=json`);
      client.send('{"op":');
      client.send({ op: 'dance', ref: 1 });
      client.socket.send(Buffer.from([1, 2, 3]));
      client.send({ op: 'ping', ref: 2 });
      await client.frame(({ op }) => op === 'pong');
      const codes = client.frames.flatMap(({ code }) => code ?? []);
      expect(codes).toEqual(['invalid_json', 'unknown_operation', 'binary_frame']);
    });

    test('a message of 64 KiB is read; a larger one is refused and the socket stays open', async () => {
      const client = await Client.open(`${running.socketUrl}/ws/1?format=json&after=now`);
      const message = JSON.stringify({
        op: 'append',
        ref: 1,
        events: [{ type: 'T', payload: '' }],
      });
      const filled = (length: number) =>
        message.replace('""', `"${'x'.repeat(length - message.length)}"`);
      client.send(filled(65_536));
      await client.frame(({ op }) => op === 'appended');
      client.send(filled(65_537));
      const refused = await client.frame(({ op }) => op === 'error');
      expect(refused).toMatchObject({ code: 'frame_too_large' });
      expect(refused.message).toContain('65536 bytes');
      client.send({ op: 'ping', ref: 2 });
      await client.frame(({ op }) => op === 'pong');
    });

    test.skipIf(without(listener, 'farewell'))(
      'a message that is much too large ends the connection, after saying so',
      async () => {
        const client = await Client.open(`${running.socketUrl}/ws/1?format=json`);
        client.send('x'.repeat(1_000_000));
        expect(await client.closing).toEqual({ code: 1009, reason: 'frame_too_large' });
        expect(client.frames.at(-1)).toMatchObject({ op: 'error', code: 'frame_too_large' });
      },
    );

    test.skipIf(without(listener, 'farewell'))(
      'bytes that are not UTF-8 end the connection, after saying so',
      async () => {
        const socket = await rawSocket();
        const received = untilEnd(socket);
        socket.write(frame(1, Buffer.from([0x22, 0xff, 0xfe, 0x22])));
        const text = await received;
        expect(text).toContain('"code":"invalid_utf8"');
        expect(text.indexOf('"code":"invalid_utf8"')).toBeLessThan(
          text.lastIndexOf('invalid_utf8'),
        );
      },
    );

    test.skipIf(without(listener, 'farewell')).each([
      ['a reserved opcode', frame(3, Buffer.from('x'))],
      ['an unmasked frame', Buffer.from([0x81, 1, 120])],
      ['a long control frame', frame(9, Buffer.alloc(126))],
      ['a continuation of nothing', frame(0, Buffer.from('x'))],
    ])('%s ends the connection, after saying so', async (_what, bytes) => {
      const socket = await rawSocket();
      const received = untilEnd(socket);
      socket.write(bytes);
      expect(await received).toContain('"code":"invalid_frame"');
    });

    test('text in any number of pieces is read whole, and multi-byte characters survive', async () => {
      const socket = await rawSocket();
      const received: string[] = [];
      socket.on('data', (chunk) => received.push(chunk.toString()));
      const message = Buffer.from(
        JSON.stringify({ op: 'append', ref: 'ü🎉', events: [{ type: 'T', payload: '🎉ä€' }] }),
      );
      for (let index = 0; index < message.length; index += 1) {
        const last = index === message.length - 1;
        socket.write(frame(index === 0 ? 1 : 0, message.subarray(index, index + 1), last));
      }
      await eventually(() => received.join('').includes('"ref":"ü🎉"'));
      await eventually(() => received.join('').includes('"payload":"🎉ä€"'));
      socket.destroy();
    });

    test.each(['a b', '', 'x/../y'])(
      'a request with the host %j is refused, not dropped',
      async (host) => {
        const socket = connect(running.listening.port, '127.0.0.1');
        const received = untilEnd(socket);
        socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        expect(await received).toMatch(/^HTTP\/1\.1 400 /);
      },
    );

    test('random bytes never take the gateway down', async () => {
      let seed = 42;
      const random = () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        return seed / 2_147_483_648;
      };
      for (let round = 0; round < 60; round += 1) {
        const socket =
          round % 3 === 0 ? connect(running.listening.port, '127.0.0.1') : await rawSocket();
        socket.on('error', () => {});
        const payload = Buffer.from(
          Array.from({ length: 1 + random() * 300 }, () => random() * 256),
        );
        socket.write(round % 3 === 1 ? frame(1 + Math.floor(random() * 2), payload) : payload);
        socket.end();
        socket.destroySoon();
        if (random() < 0.3) socket.destroy();
      }
      const client = await Client.open(`${running.socketUrl}/ws/1`);
      client.send('ping');
      expect(await client.received(1)).toEqual(['pong']);
    });
  });
}
