/** Event streams: what is pushed to whom, and how one ends. */
import { createConnection, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { accountLog, type LogName } from '../../../src/event/log-name.ts';
import { type RunningGateway, startGateway } from '../../e2e/gateway-client.ts';
import { eventually } from '../../support/eventually.ts';
import { randomId } from '../../support/names.ts';
import type { ListenerUnderTest } from './listener-under-test.ts';

export function streams(listener: ListenerUnderTest): void {
  describe('event streams', () => {
    let running: RunningGateway;
    let account: string;
    let LOG: LogName;
    const sockets: Socket[] = [];

    beforeEach(async () => {
      account = randomId();
      LOG = accountLog(account);
      running = await startGateway({}, listener.listen);
    });

    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy();
      await running.stop();
    });

    /** A stream as bytes. */
    function stream(): { socket: Socket; text: string; ended: boolean } {
      const socket = createConnection(running.listening.port, '127.0.0.1');
      sockets.push(socket);
      const seen = { socket, text: '', ended: false };
      socket.setEncoding('utf8');
      socket.on('error', () => {});
      socket.on('data', (chunk: string) => {
        seen.text += chunk;
      });
      socket.on('end', () => {
        seen.ended = true;
      });
      socket.write(
        `GET /accounts/${account}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
      );
      return seen;
    }

    test('a first byte comes at once, and events as they happen', async () => {
      const one = stream();
      await eventually(() => one.text.includes('event: live'));
      expect(one.text).toMatch(/^HTTP\/1\.1 200 /);
      expect(one.text).toContain('retry: 1000');
      await running.log.append(LOG, [{ type: 'T', payload: 'now' }]);
      await eventually(() => one.text.includes('"payload":"now"'));
    });

    test('who stops reading gets no more pushed, then everything', async () => {
      const slow = stream();
      slow.socket.pause();
      const payload = 'x'.repeat(100_000);
      const count = 200;
      for (let index = 0; index < count; index += 1) {
        await running.log.append(LOG, [{ type: 'T', payload: `${index} ${payload}` }]);
      }
      const payloads = (text: string) =>
        [...text.matchAll(/"payload":"(\d+) /g)].map(([, index]) => Number(index));
      // Another reader gets all of it meanwhile.
      const other = stream();
      await eventually(() => payloads(other.text).length === count);
      expect(slow.text.length).toBeLessThan(count * payload.length);
      slow.socket.resume();
      await eventually(() => slow.text.includes('event: live'));
      expect(payloads(slow.text)).toEqual([...Array(count).keys()]);
    });

    test('who leaves gives its place back', async () => {
      await running.stop();
      running = await startGateway({ limits: { maxConnections: 1 } }, listener.listen);
      const one = stream();
      await eventually(() => one.text.includes('event: live'));
      one.socket.destroy();
      await eventually(async () => {
        const other = stream();
        await eventually(() => /^HTTP\/1\.1 \d/.test(other.text));
        const isServed = other.text.startsWith('HTTP/1.1 200');
        if (!isServed) other.socket.destroy();
        return isServed;
      });
    });

    test('it ends when the gateway does', async () => {
      const one = stream();
      await eventually(() => one.text.includes('event: live'));
      await running.listening.close();
      await eventually(() => one.ended);
    });
  });
}
