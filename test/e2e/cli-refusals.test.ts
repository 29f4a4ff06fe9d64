/** Commands over a store that cannot be one: they end at once, and say what it is and what to do. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { runMillrace, temporaryFolder } from './command.ts';

const PROJECTION = `
export default { name: 'p', initial: () => 0, on: { T: (count) => count + 1 } };
`;

/** All commands that open a store. */
function commandsFor(folder: string): readonly (readonly string[])[] {
  const module = join(folder, 'projection.mjs');
  writeFileSync(module, PROJECTION);
  return [
    ['serve', '--port', '0'],
    ['project', module],
    ['dead-letters', 'list', '--group', 'g'],
  ];
}

async function expectRefused(store: string, ...messages: readonly RegExp[]): Promise<void> {
  using folder = temporaryFolder();
  for (const command of commandsFor(folder.path)) {
    await using run = runMillrace([...command, '--store', store], { cwd: folder.path });
    expect(await run.ended(), command[0]).toBe(1);
    for (const message of messages) expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/secret|\n\s+at /);
    expect(run.stdout).toBe('');
  }
}

test('a Redis Cluster', async () => {
  const port = String(await freePort());
  await using server = await RedisServer.start({ 'cluster-enabled': 'yes', 'cluster-port': port });
  await expectRefused(server.url(), /Redis Cluster.*not support.*cluster-enabled no/);
});

test('a user whose rights do not suffice, and a wrong password', async () => {
  await using server = await RedisServer.start();
  const admin = new Redis(server.port);
  try {
    await admin.call('ACL', 'SETUSER', 'someone', 'on', '>secret', '~*', '&*', '+@all', '-xadd');
  } finally {
    admin.disconnect();
  }
  const at = (login: string) => server.url().replace('redis://', `redis://${login}@`);
  await expectRefused(at('someone:secret'), /missing are \+xadd/);
  await expectRefused(at('someone:not-secret'), /does not accept the user and password/);
});

test('a gateway says at the start which records its user may not keep', async () => {
  await using server = await RedisServer.start();
  const admin = new Redis(server.port);
  try {
    const keys = ['~*:log', '~{*}:*', '~feed', '~account_id'];
    await admin.call('ACL', 'SETUSER', 'someone', 'on', '>secret', ...keys, '&*', '+@all');
  } finally {
    admin.disconnect();
  }
  using folder = temporaryFolder();
  const store = server.url().replace('redis://', 'redis://someone:secret@');
  await using run = runMillrace(['serve', '--port', '0', '--store', store], { cwd: folder.path });
  expect(await run.ended()).toBe(1);
  expect(run.stderr).toMatch(
    /missing are ~email:\* ~open_reservations:\* ~ticket:\* ~limit:\* ~gateway:\*/,
  );
});

test('a Redis that loads its data is waited for, with a line that says so', async () => {
  await using server = await RedisServer.start({
    'key-load-delay': '1000',
    'loading-process-events-interval-bytes': '1024',
    rdbcompression: 'no',
  });
  const admin = new Redis(server.port);
  try {
    const fill = `for i = 1, 4000 do redis.call('SET', 'k' .. i, string.rep('x', 100)) end`;
    await admin.eval(fill, 0);
    await admin.save();
  } finally {
    admin.disconnect();
  }
  await server.kill();
  const started = server.start();
  await eventually(async () => {
    const probe = connect(server.port, '127.0.0.1');
    await once(probe, 'connect').finally(() => probe.destroy());
  });
  using folder = temporaryFolder();
  const [serve, , deadLetters] = commandsFor(folder.path);
  const at = ['--store', server.url()];
  await using gateway = runMillrace([...serve!, ...at], { cwd: folder.path });
  await using list = runMillrace([...deadLetters!, ...at], { cwd: folder.path });
  await gateway.printed(/listens on/);
  expect(gateway.stderr).toMatch(/"progress":"\d+ %.*Redis loads its data; waiting for it/);
  expect(await list.ended()).toBe(0);
  expect(list.stderr).toMatch(/^millrace: Redis loads its data \(\d+ %.*\); waiting for it\n/);
  await started;
});
