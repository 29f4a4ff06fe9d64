/** The tools of the tests, tried out by themselves. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { RedisServer } from './redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

async function command(port: number, line: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(`${line}\r\n`);
  const [reply] = await once(socket, 'data');
  socket.destroy();
  return String(reply).trim();
}

it('keeps what it has on disk over kill -9 and a restart', async () => {
  await using server = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
  await command(server.port, 'SET key value');
  await server.kill();
  expect(server.pid).toBeUndefined();
  await server.start();
  expect(await command(server.port, 'GET key')).toContain('value');
});

it('goes back to a backup of its files', async () => {
  await using server = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
  await command(server.port, 'SET key early');
  await server.stop();
  const backup = server.backup();
  await server.start();
  await command(server.port, 'SET key late');
  await server.stop();
  server.restore(backup);
  await server.start();
  expect(await command(server.port, 'GET key')).toContain('early');
});

it('says why redis-server does not start', async () => {
  await expect(RedisServer.start({ appendonly: 'perhaps' })).rejects.toThrow(/did not start/);
});

it('swallows replies, cuts and heals', async () => {
  await using server = await RedisServer.start();
  await using proxy = await TcpProxy.start(server.port);
  expect(await command(proxy.port, 'SET key 1')).toBe('+OK');

  proxy.swallowReplies();
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write('INCR key\r\n');
  await eventually(() => proxy.swallowed > 0);
  proxy.cut();
  await eventually(() => socket.closed);

  proxy.heal();
  expect(await command(proxy.port, 'GET key')).toContain('2');
});

it('gives up with the last failure', async () => {
  await expect(eventually(() => expect(1).toBe(2), { timeout: 20, interval: 1 })).rejects.toThrow(
    /expected 1 to be 2/,
  );
});
