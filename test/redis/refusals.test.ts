/** What is no Redis that can keep a store is refused at the start, whichever way it is opened, and told what to do. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Notice } from '../../src/metrics/notice.ts';
import { openLog, openStore } from '../../src/stores/open.ts';
import { RedisLog } from '../../src/stores/redis/log/redis-log.ts';
import { RedisReadModels } from '../../src/stores/redis/read-models/redis-read-models.ts';
import { RedisRecords } from '../../src/stores/redis/records/redis-records.ts';
import { RedisWorkQueues } from '../../src/stores/redis/work-queues/redis-work-queues.ts';
import { appendOne } from '../../src/testing/contract/log/say.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { randomLog } from '../support/names.ts';
import { connectionIn } from '../support/notices.ts';
import { type RedisConfig, RedisServer } from '../support/redis-server.ts';

const CONTRACTS = [RedisLog, RedisRecords, RedisReadModels, RedisWorkQueues] as const;

const WAYS: readonly ((url: string) => Promise<{ close(): Promise<void> }>)[] = [
  openLog,
  openStore,
  ...CONTRACTS.map((each) => (url: string) => each.open(url, { connectTimeout: 1_000 })),
];

async function startServer(config?: RedisConfig): Promise<RedisServer> {
  const server = await RedisServer.start(config);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** All ways to open it are told the same, and no connection is left behind. */
async function expectRefused(
  url: string,
  code: 'unsupported_store' | 'unavailable',
  ...messages: readonly RegExp[]
): Promise<void> {
  for (const open of WAYS) {
    const error = (await open(url).then(
      () => new Error('it was not refused'),
      (reason: unknown) => reason,
    )) as Error;
    for (const message of messages) expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code });
    expect(error.message).not.toMatch(/secret/);
  }
}

/** A server that answers each chunk that it gets with the same bytes. */
async function startFake(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    answer(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Speaks the protocol as far as its first command: `INFO` is answered with this, all else with an error. */
function infoOnly(info: string) {
  return (socket: Socket) => {
    socket.on('data', (data) => {
      for (const [, name] of String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        const unknown = `-ERR unknown command '${name}'\r\n`;
        socket.write(/^info$/i.test(name!) ? `$${info.length}\r\n${info}\r\n` : unknown);
      }
    });
  };
}

async function startCluster(): Promise<RedisServer> {
  const port = await freePort();
  return startServer({ 'cluster-enabled': 'yes', 'cluster-port': String(port) });
}

it('a node of a cluster', async () => {
  const server = await startCluster();
  await expectRefused(
    server.url(),
    'unsupported_store',
    /Redis Cluster.*not support/,
    /cluster-enabled no/,
  );
  // There is no database 3 in a cluster: that is not what is told.
  await expectRefused(server.url(3), 'unsupported_store', /Redis Cluster/);
});

it('three nodes that make a cluster', async () => {
  const servers = await Promise.all([startCluster(), startCluster(), startCluster()]);
  const [first] = servers;
  for (const [index, { port }] of servers.entries()) {
    const node = new Redis(port);
    onTestFinished(() => node.disconnect());
    await node.call(
      'CLUSTER',
      'ADDSLOTSRANGE',
      index * 5461,
      Math.min(16_383, index * 5461 + 5460),
    );
    if (index > 0) await node.call('CLUSTER', 'MEET', '127.0.0.1', first!.port).catch(() => {});
  }
  for (const server of servers)
    await expectRefused(server.url(), 'unsupported_store', /Redis Cluster/);
});

async function startSentinel(primary: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sentinel-'));
  const port = await freePort();
  const config = join(folder, 'sentinel.conf');
  writeFileSync(
    config,
    `bind 127.0.0.1\nport ${port}\nsentinel monitor mymaster 127.0.0.1 ${primary} 1\n`,
  );
  const child = spawn('redis-server', [config, '--sentinel'], { stdio: 'ignore' });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const asking = new Redis(port);
  asking.on('error', () => {});
  await eventually(() => asking.ping());
  asking.disconnect();
  return port;
}

it('a Sentinel', async () => {
  const primary = await startServer();
  const port = await startSentinel(primary.port);
  await expectRefused(
    `redis://127.0.0.1:${port}/2`,
    'unsupported_store',
    /Redis Sentinel/,
    new RegExp(`primary.*127\\.0\\.0\\.1:${primary.port}`),
  );
});

it('a replica', async () => {
  const primary = await startServer();
  const replica = await startServer({ replicaof: `127.0.0.1 ${primary.port}` });
  await expectRefused(
    replica.url(),
    'unsupported_store',
    /replica/,
    new RegExp(`primary \\(127\\.0\\.0\\.1:${primary.port}\\)`),
  );
});

it('an older one, or one that does not say what it is', async () => {
  const old = await startFake(infoOnly('redis_version:6.2.14\r\nrole:master\r\n'));
  await expectRefused(`redis://127.0.0.1:${old}`, 'unsupported_store', /7\.0 or later.*6\.2\.14/);
  const other = await startFake(infoOnly('something:else\r\n'));
  await expectRefused(
    `redis://127.0.0.1:${other}`,
    'unsupported_store',
    /does not say that it is Redis/,
  );
});

it('one that speaks the protocol and has no scripts', async () => {
  const port = await startFake(infoOnly('redis_version:7.2.0\r\nrole:master\r\n'));
  await expectRefused(
    `redis://127.0.0.1:${port}`,
    'unsupported_store',
    /does not know EVAL.*scripts/,
  );
});

it.each([
  ['XADD', [openLog, openStore, RedisLog, RedisWorkQueues]],
  ['HSET', [openLog, openStore, RedisLog, RedisReadModels, RedisWorkQueues]],
  ['INCRBY', [openStore, RedisRecords]],
  ['EVAL', WAYS],
  ['EVALSHA', WAYS],
  ['INFO', WAYS],
] as const)('one whose command %s was renamed', async (command, ways) => {
  const server = await startServer({ 'rename-command': [command, 'GONE'] });
  for (const way of ways) {
    const opening =
      typeof way === 'function' && 'open' in way
        ? way.open(server.url())
        : (way as (typeof WAYS)[number])(server.url());
    await expect(opening).rejects.toMatchObject({
      code: 'unsupported_store',
      message: expect.stringContaining(command),
    });
  }
});

it('one that asks for a password', async () => {
  const server = await startServer();
  const admin = new Redis(server.port);
  onTestFinished(() => admin.disconnect());
  await admin.config('SET', 'requirepass', 'right');
  const at = (login: string) => server.url().replace('redis://', `redis://${login}`);
  await expectRefused(
    at(''),
    'unsupported_store',
    /asks for a password/,
    /redis:\/\/:<password>@host/,
  );
  await expectRefused(at(':secret@'), 'unsupported_store', /does not accept the user and password/);
  await expectRefused(at('someone:secret@'), 'unsupported_store', /does not accept/);
  const store = await openStore(at(':right@'));
  await store.close();
});

it('one that is in protected mode', async () => {
  const port = await startFake((socket) => {
    socket.end(
      '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user.\r\n',
    );
  });
  await expectRefused(
    `redis://127.0.0.1:${port}`,
    'unsupported_store',
    /protected mode/,
    /requirepass/,
  );
});

it('one that has as many clients as it may have: it can be tried again', async () => {
  const server = await startServer({ maxclients: '1' });
  const first = new Redis(server.port);
  onTestFinished(() => first.disconnect());
  await first.ping();
  await expectRefused(server.url(), 'unavailable', /max number of clients/);
});

it('what is no Redis', async () => {
  const web = createHttpServer((_request, response) => response.end('hello'));
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  onTestFinished(() => void web.close());
  const { port } = web.address() as AddressInfo;
  await expectRefused(
    `redis://127.0.0.1:${port}`,
    'unsupported_store',
    /does not speak the protocol.*web server/,
    /port/,
  );
  const ssh = await startFake((socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
  await expectRefused(
    `redis://127.0.0.1:${ssh}`,
    'unsupported_store',
    /does not speak the protocol/,
  );
});

it('one that is not there', async () => {
  await expectRefused(
    `redis://127.0.0.1:${await freePort()}`,
    'unavailable',
    /connections are refused at 127\.0\.0\.1:\d+; is Redis running\?/,
  );
  await expectRefused('redis://no-such-host.invalid', 'unavailable', /no-such-host\.invalid/);
});

/** Rights that are taken from a user who may do all; what is told names them. */
it.each([
  ['-xtrim', [openLog, openStore, RedisLog], '+xtrim'],
  ['-xinfo|stream', [openLog, openStore, RedisLog, RedisWorkQueues], '+xinfo|stream'],
  ['-@scripting', WAYS, '+eval'],
  ['-@stream', [openLog, openStore, RedisLog, RedisWorkQueues], '+xadd'],
  ['-incrby', [openStore, RedisRecords], '+incrby'],
  ['-hscan', [openStore, RedisReadModels], '+hscan'],
  ['-zadd', [openStore, RedisWorkQueues], '+zadd'],
  ['-info', WAYS, '+info'],
  ['resetkeys ~{*}:* ~feed', [openLog, openStore, RedisLog], '~*:log'],
  ['resetkeys ~*:log ~{*}:*', [openLog, openStore, RedisLog, RedisWorkQueues], '~feed'],
  ['resetchannels', [openLog, openStore, RedisLog], '&millrace:*'],
] as const)('a user who has %s', async (taken, ways, told) => {
  const server = await startServer();
  const admin = new Redis(server.port);
  onTestFinished(() => admin.disconnect());
  await admin.call(
    'ACL',
    'SETUSER',
    'someone',
    'on',
    '>secret',
    '~*',
    '&*',
    '+@all',
    ...taken.split(' '),
  );
  const url = server.url().replace('redis://', 'redis://someone:secret@');
  for (const way of ways) {
    const opening = 'open' in way ? way.open(url) : (way as (typeof WAYS)[number])(url);
    await expect(opening).rejects.toMatchObject({
      code: 'unsupported_store',
      message: expect.stringContaining(told),
    });
  }
});

it('a user who may not use the keys of a group, when a worker joins it', async () => {
  const server = await startServer();
  const admin = new Redis(server.port);
  onTestFinished(() => admin.disconnect());
  await admin.call(
    'ACL',
    'SETUSER',
    'someone',
    'on',
    '>secret',
    '~feed',
    '~{feed}:*',
    '~{work:mail}:*',
    '+@all',
  );
  const queues = await RedisWorkQueues.open(
    server.url().replace('redis://', 'redis://someone:secret@'),
  );
  onTestFinished(() => queues.close());
  await (await queues.join('mail')).leave();
  await expect(queues.join('other')).rejects.toMatchObject({
    code: 'unsupported_store',
    message: expect.stringContaining('~{work:other}:*'),
  });
});

it('a user whose records may not be where they are needed', async () => {
  const server = await startServer();
  const admin = new Redis(server.port);
  onTestFinished(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', 'someone', 'on', '>secret', '~email:*', '+@all');
  const url = server.url().replace('redis://', 'redis://someone:secret@');
  const keys = { 'email:*': 'email:a@b.c', 'ticket:*': 'ticket:1' };
  await expect(RedisRecords.open(url, { keys })).rejects.toMatchObject({
    code: 'unsupported_store',
    message: expect.stringMatching(/missing are ~ticket:\* /),
  });
  await (await RedisRecords.open(url)).close();
});

// Capability: openssl, to make a certificate with.
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
let certificates: string;

beforeAll(() => {
  certificates = mkdtempSync(join(tmpdir(), 'millrace-certificates-'));
  if (!hasOpenssl) return;
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=127.0.0.1', '-days', '2', '-keyout', 'key.pem', '-out', 'cert.pem'],
    ],
    { cwd: certificates, stdio: 'ignore' },
  );
});

afterAll(() => rmSync(certificates, { recursive: true, force: true }));

async function startTls(): Promise<number> {
  const port = await freePort();
  await startServer({
    'tls-port': String(port),
    'tls-cert-file': join(certificates, 'cert.pem'),
    'tls-key-file': join(certificates, 'key.pem'),
    'tls-ca-cert-file': join(certificates, 'cert.pem'),
    'tls-auth-clients': 'no',
  });
  return port;
}

const needed = hasOpenssl ? '' : ' (needs openssl)';

it.skipIf(!hasOpenssl)(
  `TLS on one side only, or a certificate that nobody knows${needed}`,
  async () => {
    const tls = await startTls();
    await expectRefused(`redis://127.0.0.1:${tls}`, 'unsupported_store', /rediss:\/\//);
    await expectRefused(
      `rediss://127.0.0.1:${tls}`,
      'unsupported_store',
      /certificate.*NODE_EXTRA_CA_CERTS/,
    );
    const plain = await startServer();
    const opening = RedisLog.open(plain.url().replace('redis:', 'rediss:'), {
      connectTimeout: 500,
    });
    await expect(opening).rejects.toMatchObject({
      code: 'unsupported_store',
      message: expect.stringContaining('use redis:// instead'),
    });
  },
);

it('waits for one that loads its data, and says so', async () => {
  const server = await startServer({
    'key-load-delay': '500',
    'loading-process-events-interval-bytes': '1024',
    rdbcompression: 'no',
  });
  const admin = new Redis(server.port);
  await admin.eval(`for i = 1, 2000 do redis.call('SET', 'k' .. i, string.rep('x', 100)) end`, 0);
  const log = randomLog();
  const before = await RedisLog.open(server.url());
  const id = await appendOne(before, log);
  await before.close();
  await admin.save();
  admin.disconnect();
  await server.kill();

  const started = server.start();
  const told: string[] = [];
  const onNotice = (notice: Notice) => void told.push(connectionIn(notice).join(' '));
  const eventLog = await eventually(() => openLog(server.url(), { onNotice }));
  onTestFinished(() => eventLog.close());
  expect(told).toEqual([expect.stringMatching(/^loading \d+ %/)]);
  expect((await eventLog.read(log)).version).toBe(id);
  await started;
});

it('does not wait for ever for one that loads its data', async () => {
  const loading =
    'redis_version:7.2.0\r\nrole:master\r\nloading:1\r\nloading_loaded_perc:12.5\r\nloading_eta_seconds:70\r\n';
  const port = await startFake(infoOnly(loading));
  for (const contract of CONTRACTS) {
    await expect(
      contract.open(`redis://127.0.0.1:${port}`, { loadingWait: 100 }),
    ).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/still loading its data: 12 %, about 70 s to go/),
    });
  }
});
