/** Every fenced block of the README, run as a newcomer would run it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Command, listensOn, root, temporaryFolder } from './command.ts';
import { openPage } from './page.ts';
import { type Block, EventNames, readmeBlocks } from './readme.ts';

const blocks = readmeBlocks();
const blocksOf = (language: string, mode: string) =>
  blocks.filter((block) => block.language === language && block.mode === mode);
const KINDS = [
  ...['', 'sh', 'sh server', 'sh stream', 'text session', 'js', 'js stream', 'js client', 'html'],
  // Run in readme-proxy.test.ts.
  ...['sh secret', 'sh token', 'js token', 'js browser', 'nginx', 'caddy'],
  // Run in package.test.ts.
  'sh package',
];

test('every block is of a kind that is run here', () => {
  expect(blocks.length).toBeGreaterThan(10);
  const unknown = blocks.filter(
    ({ language, mode }) => !KINDS.includes(`${language} ${mode}`.trim()),
  );
  expect(unknown).toEqual([]);
  // A drawing; everything that could be run says what it is.
  expect(blocksOf('', '')).toHaveLength(1);
});

test('its links lead somewhere', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const targets = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1]!);
  expect(targets.length).toBeGreaterThan(5);
  expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
});

describe('starting', () => {
  test.each(blocksOf('sh', 'server').map((block) => [block.text]))(
    '%s',
    async (text) => {
      using folder = temporaryFolder();
      await using redis = await RedisServer.start();
      const command = text
        .replace('--port 4555', '--port 0')
        .replace('./data', join(folder.path, 'data'))
        .replace('./jwt.secret', join(folder.path, 'jwt.secret'))
        .replace('redis://localhost:6379', redis.url());
      writeFileSync(join(folder.path, 'jwt.secret'), 'a secret of the tests, of 32 bytes');
      const env: Record<string, string> = { PORT: '0' };
      if (!command.includes('REDIS')) env.MILLRACE_STORE = join(folder.path, 'default');
      await using server = new Command('bash', ['-c', `exec env ${command}`], { env });
      const url = await listensOn(server);
      expect(await (await fetch(url)).text()).toBe('Healthy');
      server.child.kill('SIGTERM');
      expect(await server.ended()).toBe(0);
    },
    60_000,
  );
});

describe('with a server running', () => {
  const folder = temporaryFolder();
  const names = new EventNames();
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await GatewayProcess.start({ store: join(folder.path, 'store') });
  }, 60_000);
  afterAll(async () => {
    await gateway?.terminate();
    folder[Symbol.dispose]();
  });

  const here = (text: string) =>
    text
      .replaceAll('127.0.0.1:4000', `127.0.0.1:${gateway.port}`)
      .replaceAll('./millrace-data', join(folder.path, 'library'));
  const shell = (text: string) => new Command('bash', ['-ec', here(text)]);
  const node = (text: string) =>
    new Command(process.execPath, ['--input-type=module', '--eval', here(text)]);

  /** Types what is typed and waits for what is printed, in turns. */
  async function play({ text }: Block): Promise<void> {
    const [first, ...lines] = here(text).split('\n');
    await using command = shell(`exec ${names.translate(first!.replace('$ ', ''))}`);
    let seen = 0;
    const turns: { typed?: string; printed: string[] }[] = [{ printed: [] }];
    for (const line of lines) {
      if (line.startsWith('> ')) turns.push({ typed: line.slice(2), printed: [] });
      else turns.at(-1)!.printed.push(line);
    }
    for (const { typed, printed } of turns) {
      if (typed !== undefined) command.child.stdin!.write(`${names.translate(typed)}\n`);
      await eventually(() => {
        const actual = command.stdout.split('\n').slice(seen, -1);
        expect(actual.length, `after ${typed}: ${command.stdout}`).toBeGreaterThanOrEqual(
          printed.length,
        );
      });
      const actual = command.stdout.split('\n').slice(seen, seen + printed.length);
      // An append and the event that it made are answered side by side.
      const json = printed.every((line) => line.startsWith('{'));
      const order = (some: string[]) => (json ? some.toSorted() : some);
      for (const [index, expected] of order(printed).entries()) {
        const line = order(actual)[index]!;
        if (!names.matches(expected, line)) expect(line).toBe(names.translate(expected));
        names.learn(expected, line);
      }
      seen += printed.length;
    }
    command.child.stdin!.end();
    expect(await command.ended()).toBe(0);
    expect(command.stdout.split('\n').slice(seen, -1)).toEqual(['closed (1000)']);
  }

  const sections = [...new Set(blocksOf('text', 'session').map((block) => block.section))];
  test.each(sections)('sessions: %s', async (section) => {
    if (section === 'Resume') {
      await gateway.kill();
      await gateway.start();
    }
    // The terminals of one section are open side by side.
    await Promise.all(
      blocksOf('text', 'session')
        .filter((block) => block.section === section)
        .map(play),
    );
  });

  test.each(blocksOf('js', 'stream').map((block) => [block.line, block.text]))(
    'line %i: a program that never loses its place',
    async (_line, text) => {
      await using program = node(text);
      await program.printed(/Greeted Hello there\n/);
      await gateway.kill();
      await gateway.start();
      const event = { type: 'Late', payload: 'after all' };
      await fetch(gateway.http('/accounts/2/events'), {
        method: 'POST',
        body: JSON.stringify(event),
      });
      await program.printed(/Late after all\n/);
      const types = program.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]);
      expect(types).toEqual(['SOME_EVENT', 'Greeted', 'Late']);
    },
  );

  test.each(blocksOf('sh', '').map((block) => [block.text]))('%s', async (text) => {
    await using command = shell(text);
    expect(await command.ended(), command.stderr).toBe(0);
    if (!text.startsWith('curl')) return;
    const answer = JSON.parse(command.stdout) as Record<string, unknown>;
    expect(answer).toHaveProperty(text.includes('/accounts ') ? 'id' : 'version');
    expect(answer).not.toHaveProperty('code');
  });

  test('what is sent again with its producer happens once', async () => {
    const block = blocksOf('sh', '').find(({ text }) => text.includes('Producer-Id'))!;
    await using command = shell(block.text);
    await command.ended();
    expect(JSON.parse(command.stdout)).toMatchObject({ duplicate: true });
  });

  test.each(blocksOf('sh', 'stream').map((block) => [block.text]))('%s', async (text) => {
    await using command = shell(`exec ${text}`);
    await command.printed(/^data: .*"Paid"/m);
  });

  test.each(blocksOf('js', 'client').map((block) => [block.line, block.text]))(
    'line %i: a client, and what it says is in the log',
    async (_line, text) => {
      // What browsers have and Node 20 does not.
      const browser = "import { WebSocket } from 'ws'; Object.assign(globalThis, { WebSocket });\n";
      await using program = node(`${browser}import 'fake-indexeddb/auto';\n${text}`);
      await program.printed(/\[ 'Hello from a tunnel' \]\n/);
      const { events } = await eventually(async () => {
        const response = await fetch(gateway.http('/logs/room:tea/events'));
        const page = (await response.json()) as { events: { payload: unknown; meta: unknown }[] };
        expect(page.events).not.toEqual([]);
        return page;
      });
      expect(events).toMatchObject([
        { payload: { text: 'Hello from a tunnel' }, meta: { from: 'account:ada' } },
      ]);
    },
  );

  test.each(blocksOf('html', '').map((block) => [block.line, block.text]))(
    'line %i: the page',
    async (_line, text) => {
      const script = /<script[^>]*>(.*)<\/script>/s.exec(here(text))![1]!;
      using page = openPage(script);
      await eventually(() => expect(page.list.children).toHaveLength(4));
      expect(page.list.children[0]!.textContent).toBe('Greeted {"text":"hi"}');
    },
  );

  test.each(blocksOf('js', '').map((block) => [block.line, block.text]))(
    'line %i: the library',
    async (_line, text) => {
      await using program = node(text);
      expect(await program.ended(), program.stderr).toBe(0);
      expect(program.stdout).toContain("[ 'ItemAdded', 'CheckedOut' ]");
      expect(program.stdout).toContain('listens on http://127.0.0.1:');
    },
  );
});

test('the checkout knows every npm script that the documents name', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const files = ['README.md', 'CONTRIBUTING.md', 'docs/operations.md', 'docs/decisions.md'];
  const text = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  const named = [...text.matchAll(/npm run ([a-z]+)/g)].map((match) => match[1]!);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('the flags that the documents name are flags', () => {
  const text = ['README.md', 'docs/operations.md']
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const help = execFileSync(
    process.execPath,
    [join(root, 'dist', 'cli', 'millrace.js'), 'serve', '--help'],
    {
      encoding: 'utf8',
    },
  );
  const named = new Set([...text.matchAll(/`(--[a-z-]+)/g)].map((match) => match[1]!));
  expect(named.size).toBeGreaterThan(5);
  expect([...named].filter((flag) => !help.includes(flag))).toEqual([]);
});
