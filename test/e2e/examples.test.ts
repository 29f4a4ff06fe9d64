/** The examples, run as their users run them, against a real `millrace serve`. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RedisServer } from '../support/redis-server.ts';
import { anybodysCheckout, Command, root, temporaryFolder } from './command.ts';

interface Commit {
  readonly hash: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly date: string;
  readonly message: string;
}

function git(folder: string, args: readonly string[], input?: string | Buffer): string {
  return execFileSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...anybodysCheckout },
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'ignore'],
    ...(input === undefined ? {} : { input }),
  });
}

/** What git says the example must have stored: one call a field, not the example's own way. */
function historyByAccount(repository: string): Map<string, Commit[]> {
  const column = (format: string) =>
    git(repository, ['log', '-z', '--reverse', '--topo-order', `--format=${format}`]).split('\0');
  const [names, emails, dates, messages] = ['%aN', '%aE', '%aI', '%B'].map(column) as string[][];
  const history = new Map<string, Commit[]>();
  for (const [index, hash] of column('%H').slice(0, -1).entries()) {
    const author = { name: names![index]!, email: emails![index]! };
    const commit = { hash, author, date: dates![index]!, message: messages![index]!.trimEnd() };
    const account = expectedAccount(author.email);
    history.set(account, [...(history.get(account) ?? []), commit]);
  }
  return history;
}

function expectedAccount(email: string): string {
  const id = [...Buffer.from(email)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9.-]/.test(character)
        ? character
        : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  if (id.length <= 128) return id || '_';
  return `${id.slice(0, 87)}_${createHash('sha1').update(email).digest('hex')}`;
}

async function storedLog(gateway: GatewayProcess, account: string): Promise<unknown[]> {
  const payloads: unknown[] = [];
  for (let cursor = '0-0', more = true; more; ) {
    const response = await fetch(
      gateway.http(`/accounts/${account}/events?after=${cursor}&limit=50`),
    );
    const page = (await response.json()) as {
      events: { type: string; payload: unknown }[];
      cursor: string;
      more: boolean;
    };
    expect(page.events.every((event) => event.type === 'Committed')).toBe(true);
    payloads.push(...page.events.map((event) => event.payload));
    cursor = page.cursor;
    more = page.more;
  }
  return payloads;
}

async function runExample(repository: string, gateway: GatewayProcess) {
  const script = join(root, 'examples', 'git-history', 'git-history.mjs');
  await using example = new Command(process.execPath, [script, repository, gateway.http('')]);
  const code = await example.ended();
  const [, accounts, appended, present] =
    /^(\d+) accounts: (\d+) commits appended, (\d+) already there$/m.exec(example.stdout) ?? [];
  return {
    code,
    accounts: Number(accounts),
    appended: Number(appended),
    present: Number(present),
    stderr: example.stderr,
  };
}

/** A history that git allows and people would not write. */
function oddHistory(): Buffer {
  const authors = [
    "Zoë 🦊 O'Brien <zoe+git@example.com>",
    "Zoë 🦊 O'Brien <zoe_git@example.com>",
    ' <>',
    '名前 <ユーザー@例え.jp>',
    `Long <${'l'.repeat(150)}@example.com>`,
    `Long <${'l'.repeat(150)}@example.org>`,
    'Case <ADA@Example.com>',
    'case <ada@example.com>',
    'Spaces "quoted" \\ <a b%2F../c@x>',
  ];
  const messages = [
    '',
    '\n\n',
    'One line',
    'Subject\n\nBody with\ttabs,\r\nreturns and \u0001 control characters.\n\n',
    '🦊'.repeat(1_000),
    '{"type":"Committed"}',
    'event:2:Greeted:Hello',
    `Quotes " ' \\ \u2028 and ) ends`,
  ];
  const parts: Buffer[] = [];
  let mark = 0;
  const commit = (author: string, message: Buffer, lines = '') => {
    mark += 1;
    parts.push(
      Buffer.from(
        `commit refs/heads/main\nmark :${mark}\nauthor ${author} ${1_500_000_000 - mark * 3_600} +0545\ncommitter C <c@x> ${1_500_000_000 + mark} +0000\ndata ${message.length}\n`,
      ),
      message,
      Buffer.from(`\n${lines}\n`),
    );
  };
  for (const author of authors)
    for (const message of messages) commit(author, Buffer.from(message));
  commit(authors[0]!, Buffer.from([0x4c, 0xe9, 0x0a]));
  commit(authors[1]!, Buffer.from('A merge'), 'merge :5\n');
  return Buffer.concat(parts);
}

describe.each(['embedded', 'redis'])('git-history on the %s store', (kind) => {
  const folder = temporaryFolder();
  let redis: RedisServer | undefined;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    redis = kind === 'redis' ? await RedisServer.start() : undefined;
    gateway = await GatewayProcess.start({ store: redis?.url() ?? join(folder.path, 'store') });
  }, 60_000);
  afterAll(async () => {
    await gateway?.terminate();
    await redis?.[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  async function expectLogsLike(repository: string): Promise<number> {
    const history = historyByAccount(repository);
    for (const [account, commits] of history) {
      expect(await storedLog(gateway, account), account).toEqual(commits);
    }
    return [...history.values()].reduce((sum, commits) => sum + commits.length, 0);
  }

  test('this repository, twice', async () => {
    const repository = join(folder.path, 'this');
    // A copy: the history of a checkout that somebody works in moves.
    git(root, ['clone', '--quiet', '--bare', root, repository]);
    const first = await runExample(repository, gateway);
    expect(first).toMatchObject({ code: 0, stderr: '', present: 0 });
    const total = await expectLogsLike(repository);
    expect(first.appended).toBe(total);

    const second = await runExample(repository, gateway);
    expect(second).toEqual({ ...first, appended: 0, present: total });
    await expectLogsLike(repository);
  }, 120_000);

  test('odd names, addresses and messages, and a commit that comes later', async () => {
    const repository = join(folder.path, 'odd');
    git(folder.path, ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
    git(repository, ['fast-import', '--quiet'], oddHistory());
    const first = await runExample(repository, gateway);
    expect(first).toMatchObject({ code: 0, stderr: '', accounts: 9, present: 0 });
    const total = await expectLogsLike(repository);
    expect(first.appended).toBe(total);

    const tree = git(repository, ['rev-parse', 'HEAD^{tree}']).trim();
    const names = ['-c', 'user.name=New', '-c', 'user.email=new@example.com'];
    const later = git(repository, [
      ...names,
      'commit-tree',
      '-p',
      'HEAD',
      '-m',
      'Later',
      tree,
    ]).trim();
    git(repository, ['update-ref', 'refs/heads/main', later]);
    const second = await runExample(repository, gateway);
    expect(second).toMatchObject({ code: 0, accounts: 10, appended: 1, present: total });
    await expectLogsLike(repository);
  }, 120_000);

  test('what is no repository is said to be none', async () => {
    const { code, stderr } = await runExample(folder.path, gateway);
    expect(code).toBe(1);
    expect(stderr).toContain('not a git repository');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('tasks', () => {
  const script = join(root, 'scripts', 'example.mjs');
  const start = (...flags: string[]) => new Command(process.execPath, [script, 'tasks', ...flags]);

  test('serves its page with the gateway behind it, and ends with both', async () => {
    using folder = temporaryFolder();
    await using example = start('--port', '0', '--data', join(folder.path, 'data'));
    const [, origin] = await example.printed(/(http:\S+)\/\?account=ada\n.*account=bob\n/);
    expect(await (await fetch(`${origin}/?account=ada`)).text()).toContain('page.tsx');
    expect((await fetch(`${origin}/page.tsx`)).status).toBe(200);
    const append = (type: string) =>
      fetch(`${origin}/logs/tasks:home/events`, {
        method: 'POST',
        body: JSON.stringify({ type, payload: {} }),
      });
    expect((await append('Removed')).status).toBe(201);
    expect((await append('Said')).status).toBe(403);

    const port = new URL(origin!).port;
    await using second = start('--port', port);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toContain(`Port ${port} is already in use. Choose another port`);
    expect(second.stderr).not.toMatch(/^\s+at /m);

    example.child.kill('SIGINT');
    expect(await example.ended()).toBe(0);
    expect(example.stderr).toBe('');
  }, 60_000);
});
