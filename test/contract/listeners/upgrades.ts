/** From a connection to a socket: who may come, under which name, and what is left when nobody does. */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { RequestHead } from '../../../src/gateway/identity/identity.ts';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import {
  Client,
  type RunningGateway,
  refusedUpgrade,
  startGateway,
} from '../../e2e/gateway-client.ts';
import { RawClient, UPGRADE_HEADERS } from '../../e2e/raw-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type ListenerUnderTest, without } from './listener-under-test.ts';

export function upgrades(listener: ListenerUnderTest): void {
  describe('upgrades', () => {
    let running: RunningGateway;
    const clients: RawClient[] = [];

    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      await running.stop();
    });

    async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
      running = await startGateway(options, listener.listen);
    }

    function connect(): RawClient {
      const client = new RawClient(running.listening.port);
      clients.push(client);
      return client;
    }

    function open(path: string): Promise<Client> {
      return Client.open(`${running.socketUrl}${path}`);
    }

    test('it says where it listens, and answers there', async () => {
      await start();
      expect(running.listening.url).toBe(`http://127.0.0.1:${running.listening.port}`);
      expect(await (await fetch(running.url)).text()).toBe('Healthy');
      const socket = await open('/ws/1');
      socket.send('ping');
      expect(await socket.received(1)).toEqual(['pong']);
    });

    test('the subprotocol that was agreed on is answered, and no other', async () => {
      await start();
      const socket = new WebSocket(`${running.socketUrl}/ws/1`, ['other', 'millrace.json.v1']);
      await once(socket, 'open');
      expect(socket.protocol).toBe('millrace.json.v1');
      socket.terminate();
      const plain = new WebSocket(`${running.socketUrl}/ws/1`);
      await once(plain, 'open');
      expect(plain.protocol).toBe('');
      plain.terminate();
    });

    test('the gateway sees the headers, the address and the whole path of an upgrade', async () => {
      const heads: { url: string; cookie: string | null }[] = [];
      const authenticate = async ({ url, headers }: RequestHead) => {
        heads.push({ url, cookie: headers.get('cookie') });
        return { account: '1' };
      };
      await start({ authenticate, limits: { maxSocketsPerAddress: 1 } });
      const headers = { cookie: 'a=b' };
      const first = await Client.open(`${running.socketUrl}/ws?after=now`, { headers });
      expect(heads).toEqual([{ url: '/ws?after=now', cookie: 'a=b' }]);
      // It counts for its address.
      expect(await refusedUpgrade(`${running.socketUrl}/ws`)).toMatchObject({ status: 429 });
      await first.close();
      await eventually(() => open('/ws'));
    });

    test('a refusal is answered as over HTTP', async () => {
      await start();
      const refused = await refusedUpgrade(`${running.socketUrl}/ws/%20`);
      expect(refused).toMatchObject({ status: 400, type: 'application/problem+json' });
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'invalid_account' });
    });

    test('an upgrade that fails after it was admitted gives its place back', async () => {
      await start({ limits: { maxConnections: 1 } });
      for (let time = 0; time < 3; time += 1) {
        const client = connect();
        client.head('GET /ws/1 HTTP/1.1', [
          ...UPGRADE_HEADERS.filter((header) => !header.startsWith('Sec-WebSocket-Key')),
        ]);
        await client.closed;
        if (!without(listener, 'refusals')) expect(client.problem.code).toBe('invalid_upgrade');
      }
      await eventually(() => open('/ws/1'));
    });

    test('a peer that goes away while it is found out who it is leaves nothing behind', async () => {
      let letIn = () => {};
      let asked = 0;
      const authenticate = async () => {
        asked += 1;
        if (asked === 1) {
          await new Promise<void>((resolve) => {
            letIn = resolve;
          });
        }
        return { account: '1' };
      };
      await start({ authenticate, limits: { maxConnections: 1 } });
      const client = connect();
      client.head('GET /ws HTTP/1.1', UPGRADE_HEADERS);
      await eventually(() => asked === 1);
      client.destroy();
      await client.closed;
      letIn();
      await eventually(() => open('/ws'));
    });

    test.skipIf(without(listener, 'halfOpen'))(
      'of connections that ask for nothing the oldest is cut, and those that ask are served',
      async () => {
        await start({ limits: { maxHalfOpen: 3 } });
        const silent: RawClient[] = [];
        for (let count = 0; count < 4; count += 1) {
          silent.push(await connect().connected());
          // They come in this order.
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await silent[0]!.closed;
        const socket = await open('/ws/1');
        socket.send('ping');
        expect(await socket.received(1)).toEqual(['pong']);
        expect(silent.slice(2).map(({ ended }) => ended)).toEqual([false, false]);
        silent[3]!.head('GET / HTTP/1.1');
        await eventually(() => silent[3]!.status === 200);
      },
    );
  });
}
