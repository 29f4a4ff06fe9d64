/** `millrace serve` as a process: what it prints, what it refuses, how it ends. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';
import {
  Command,
  type CommandOptions,
  listensOn,
  root,
  runMillrace,
  temporaryFolder,
} from './command.ts';

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}, 60_000);

function serve(
  folder: string,
  flags: readonly string[] = [],
  options: CommandOptions = {},
): Command {
  return runMillrace(['serve', '--port', '0', ...flags], { cwd: folder, ...options });
}

function post(
  url: string,
  event: object = { type: 'Greeted', payload: 'hi' },
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/accounts/1/events`, {
    method: 'POST',
    headers,
    body: JSON.stringify(event),
  });
}

describe('help', () => {
  test('names every flag, its default and its variable, and has examples', async () => {
    const help = runMillrace(['serve', '--help']);
    expect(await help.ended()).toBe(0);
    for (const text of [
      '--store',
      './millrace-data',
      'REDIS_ENDPOINT',
      '--sweep',
      '--host',
      '--port',
    ]) {
      expect(help.stdout).toContain(text);
    }
    expect(help.stdout).toContain('Examples:');
    expect(Math.max(...help.stdout.split('\n').map((line) => line.length))).toBeLessThan(100);
  });

  test('the version is that of the package', async () => {
    const version = runMillrace(['--version']);
    expect(await version.ended()).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('what is wrong is said in a line or two, without a stack trace', () => {
  async function refusal(args: readonly string[], options: CommandOptions = {}) {
    await using command = runMillrace(args, options);
    const code = await command.ended();
    expect(command.stderr).not.toMatch(/^\s+at /m);
    expect(command.stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
    expect(command.stdout).toBe('');
    return { code, message: command.stderr };
  }

  test.each([
    [['serve', '--port', 'http'], '--port takes a whole number from 0 to 65535'],
    [['serve', '--sweep', '1'], '--sweep takes a duration'],
    [['serve', '--store', 'http://localhost'], '--store takes a folder, or a URL'],
    [['serve', '--prot', '4000'], 'Did you mean --port?'],
    [['serve', '--port'], "'--port <port>' argument missing"],
    [['serve', 'now'], 'Expected 0 arguments'],
    [['surf'], "unknown command 'surf'"],
    [['serve', '--host', '0.0.0.0'], '--insecure'],
  ])('exit code 2: %j', async (args, text) => {
    const { code, message } = await refusal(args);
    expect(message).toContain(text);
    expect(code).toBe(2);
  });

  test('a bad line in .env is said to be there', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, '.env'), 'PORT=http\n');
    const { code, message } = await refusal(['serve'], { cwd: folder.path });
    expect(message).toContain('PORT in .env takes');
    expect(code).toBe(2);
  });

  test('the port is taken', async () => {
    using folder = temporaryFolder();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { code, message } = await refusal(['serve', '--port', `${port}`], { cwd: folder.path });
    other.close();
    expect(message).toContain(`port ${port} on 127.0.0.1 is in use`);
    expect(code).toBe(1);
  });

  test('the folder is in use', async () => {
    using folder = temporaryFolder();
    await using first = serve(folder.path);
    await listensOn(first);
    const { code, message } = await refusal(['serve', '--port', '0'], { cwd: folder.path });
    expect(message).toContain(`in use by the process with ID ${first.child.pid}`);
    expect(code).toBe(1);
  });

  test('the folder is a file', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'file'), '');
    const { code, message } = await refusal(['serve', '--store', './file'], { cwd: folder.path });
    expect(message).toContain('name a folder');
    expect(code).toBe(1);
  });

  test('Redis cannot be reached, and its password stays unsaid', async () => {
    const { code, message } = await refusal([
      ...['serve', '--port', '0', '--store', 'redis://donald:hunter2@127.0.0.1:1'],
    ]);
    expect(message).toContain('Redis at redis://127.0.0.1:1 cannot be used');
    expect(message).not.toMatch(/hunter2|donald/);
    expect(code).toBe(1);
  });

  test('Redis wants another password', async () => {
    await using redis = await RedisServer.start();
    const cli = (...args: string[]) => execFileSync('redis-cli', ['-p', `${redis.port}`, ...args]);
    cli('config', 'set', 'requirepass', 'right');
    const { code, message } = await refusal([
      ...['serve', '--port', '0', '--store', `redis://:hunter2@127.0.0.1:${redis.port}`],
    ]);
    expect(message).toMatch(/cannot be used: .*(WRONGPASS|password)/);
    expect(message).not.toContain('hunter2');
    expect(code).toBe(1);
  });
});

describe('starting', () => {
  test('the embedded store is the default, and says how durable it is', async () => {
    using folder = temporaryFolder();
    await using server = serve(folder.path);
    const url = await listensOn(server);
    await server.printed(/store +embedded/);
    expect(server.stdout).toContain('millrace-data');
    expect(server.stdout).toMatch(/durability +\S/);
    expect(server.stdout).toContain(url.replace('http', 'ws'));
    expect(server.stderr).toBe('');
    expect(await (await fetch(url)).text()).toBe('Healthy');
  });

  test('.env in the working directory is read, the environment goes first', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, '.env'), 'MILLRACE_STORE=./from-dot-env\nPORT=1\n');
    await using server = runMillrace(['serve'], { cwd: folder.path, env: { PORT: '0' } });
    await server.printed(/from-dot-env/);
  });

  test('limits reach the gateway', async () => {
    using folder = temporaryFolder();
    await using server = serve(folder.path, ['--max-event', '1kb']);
    const url = await listensOn(server);
    expect((await post(url, { type: 'T', payload: 'x'.repeat(1_024) })).status).toBe(201);
    const refused = await post(url, { type: 'T', payload: 'x'.repeat(1_025) });
    expect(await refused.json()).toMatchObject({ code: 'too_large' });
  });

  test('Redis: warns of what its configuration can lose; the password stays unsaid', async () => {
    using folder = temporaryFolder();
    await using redis = await RedisServer.start({
      'maxmemory-policy': 'allkeys-lru',
    });
    const password = ['config', 'set', 'requirepass', 'hunter2'];
    execFileSync('redis-cli', ['-p', `${redis.port}`, ...password]);
    const env = { REDIS_ENDPOINT: `redis://:hunter2@127.0.0.1:${redis.port}/3` };
    await using server = serve(folder.path, [], { env });
    await server.printed(/durability/);
    expect(server.stdout).toMatch(/store +Redis at 127\.0\.0\.1:\d+, database 3/);
    expect(server.stdout).toMatch(/WARNING .*appendonly/);
    expect(server.stdout).toMatch(/WARNING .*evict/);
    expect(server.stdout + server.stderr).not.toContain('hunter2');
  });

  test('Redis: one that keeps everything is not warned of', async () => {
    using folder = temporaryFolder();
    await using redis = await RedisServer.start({ appendonly: 'yes', appendfsync: 'always' });
    await using server = serve(folder.path, ['--store', redis.url()]);
    await server.printed(/durability +.*appendfsync always/);
    expect(server.stdout).not.toContain('WARNING');
  });

  test('Redis: the user of the manual can do all that is needed, and durability is unknown', async () => {
    using folder = temporaryFolder();
    await using redis = await RedisServer.start();
    const manual = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
    const rule = /^ACL SETUSER millrace on >secret .*$/m.exec(manual)![0];
    execFileSync('redis-cli', ['-p', `${redis.port}`, ...rule.split(' ')]);
    const store = `redis://millrace:secret@127.0.0.1:${redis.port}`;
    await using server = serve(folder.path, ['--store', store, '--sweep', '10ms']);
    const url = await listensOn(server);
    await server.printed(/durability +unknown/);

    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/1`);
    const messages: string[] = [];
    socket.on('message', (data) => messages.push(String(data)));
    await once(socket, 'open');
    const producer = { 'Producer-Id': 'p', 'Producer-Epoch': '0', 'Producer-Seq': '0' };
    expect((await post(url, { type: 'T', payload: 'ours' }, producer)).status).toBe(201);
    const foreign = ['XADD', 'account:1:log', '*', 'type', 'T', 'payload', 'theirs'];
    execFileSync('redis-cli', ['-p', `${redis.port}`, ...foreign]);
    await eventually(() => expect(messages.join()).toMatch(/ours.*theirs/s));
    socket.terminate();
    expect(server.stderr).toBe('');
  });
});

// Whether Redis was sent something is read from Linux' table of connections.
const onLinux = process.platform === 'linux';

test('says once that Redis is lost, and once that it is back', async () => {
  using folder = temporaryFolder();
  await using redis = await RedisServer.start();
  await using server = serve(folder.path, ['--store', redis.url()]);
  const url = await listensOn(server);
  await redis.kill();
  await eventually(() => server.stderr.includes('Redis is lost'));
  await redis.start();
  await eventually(async () => expect((await post(url)).status).toBe(201));
  await eventually(() => server.stderr.includes('Redis is back'));
  expect(server.stderr.match(/Redis is/g)).toEqual(['Redis is', 'Redis is']);
});

describe('stopping', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: sockets are closed with 1001, exit code 0',
    async (signal) => {
      using folder = temporaryFolder();
      await using server = serve(folder.path);
      const url = await listensOn(server);
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/1`);
      await once(socket, 'open');
      const closed = once(socket, 'close');
      server.child.kill(signal);
      expect((await closed)[0]).toBe(1001);
      expect(await server.ended()).toBe(0);
      await expect(fetch(url)).rejects.toThrow();
    },
  );

  test.runIf(onLinux)('an append under way comes to its end', async () => {
    using folder = temporaryFolder();
    await using redis = await RedisServer.start();
    await using server = serve(folder.path, ['--store', redis.url()]);
    const url = await listensOn(server);
    redis.freeze();
    const answer = post(url);
    // It is under way once Redis has been sent something that it does not read.
    await eventually(() => unreadBytes(redis.port) > 0);
    server.child.kill('SIGTERM');
    await eventually(() => server.stderr.includes('stopping'));
    redis.thaw();
    expect((await answer).status).toBe(201);
    expect(await server.ended()).toBe(0);
  });

  test.runIf(onLinux)('a second signal exits at once', async () => {
    using folder = temporaryFolder();
    await using redis = await RedisServer.start();
    await using server = serve(folder.path, ['--store', redis.url()]);
    const url = await listensOn(server);
    redis.freeze();
    const answer = post(url).catch(() => 'cut off');
    await eventually(() => unreadBytes(redis.port) > 0);
    server.child.kill('SIGTERM');
    await eventually(() => server.stderr.includes('stopping'));
    const signals = setInterval(() => server.child.kill('SIGTERM'), 600);
    const before = performance.now();
    expect(await server.ended()).toBe(128 + 15);
    clearInterval(signals);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(await answer).toBe('cut off');
  });

  test('when nobody reads its output any more', async () => {
    using folder = temporaryFolder();
    await using server = serve(folder.path);
    await server.printed(/durability/);
    server.child.stdout!.destroy();
    server.child.stderr!.destroy();
    server.child.kill('SIGTERM');
    expect(await server.ended()).toBe(0);
  });

  test('through npm start', async () => {
    using folder = temporaryFolder();
    const args = ['start', '--', '--port', '0', '--store', folder.path];
    await using npm = new Command('npm', args);
    const url = await listensOn(npm);
    expect((await post(url)).status).toBe(201);
    npm.child.kill('SIGTERM');
    expect(await npm.ended()).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  }, 60_000);
});

/** How much lies in the receive queues of those connected to a port, by the kernel's own table. */
function unreadBytes(port: number): number {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const table = readFileSync('/proc/net/tcp', 'utf8');
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local?.endsWith(`:${hexPort}`))
    .reduce((sum, columns) => sum + Number.parseInt(columns[4]!.split(':')[1]!, 16), 0);
}
