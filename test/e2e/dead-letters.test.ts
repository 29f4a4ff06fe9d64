/** `millrace dead-letters` as a process, on both stores; and a worker with the rights of the manual. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openStore, type Store } from '../../src/stores/open.ts';
import { listDeadLetters } from '../../src/worker/dead-letters.ts';
import { work } from '../../src/worker/work.ts';
import { eventually } from '../support/eventually.ts';
import { randomId, randomLog } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { root, runMillrace, temporaryFolder } from './command.ts';

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}, 60_000);

const retries = { attempts: 2, firstDelay: 1 };

/** Runs the command; answers its lines, cut at the tabs. */
async function deadLetters(store: string, group: string, ...args: string[]) {
  const [action, ...rest] = args;
  const command = runMillrace([
    'dead-letters',
    action!,
    '--store',
    store,
    '--group',
    group,
    ...rest,
  ]);
  const code = await command.ended();
  const lines = command.stdout.split('\n').slice(0, -1);
  return { code, lines: lines.map((line) => line.split('\t')), stderr: command.stderr };
}

async function failThrice(store: Store, group: string): Promise<void> {
  const log = randomLog(group);
  const worker = await work(store, {
    ...{ group, category: group, retries },
    handler: ({ type }) => {
      throw new Error(`no ${type}\n\u001b[2J`);
    },
  });
  await store.log.append(
    log,
    ['One', 'Two', 'Three'].map((type) => ({ type, payload: '' })),
  );
  await worker.drain();
  await worker.stop();
}

async function tryAll(location: string, group: string): Promise<void> {
  const first = await openStore(location);
  await failThrice(first, group);
  await first.close();

  const { lines, code, stderr } = await deadLetters(location, group, 'list');
  expect([code, stderr]).toEqual([0, '']);
  expect(lines.map(([, , , ...rest]) => rest)).toEqual([
    ['One', '2', 'no One [2J'],
    ['Two', '2', 'no Two [2J'],
    ['Three', '2', 'no Three [2J'],
  ]);
  const [one, two] = lines.map(([letter]) => letter!);
  expect((await deadLetters(location, group, 'discard', '--id', one!)).lines).toEqual([lines[0]]);
  const gone = await deadLetters(location, group, 'redrive', '--id', one!);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toMatch(/^millrace: The group \S+ has no open dead letter/);
  expect((await deadLetters(location, group, 'redrive', '--id', two!)).code).toBe(0);
  const handled: string[] = [];
  const again = await openStore(location);
  const worker = await work(again, {
    ...{ group, category: group, retries },
    handler: ({ type }, { redriven }) => void handled.push(`${type} ${redriven}`),
  });
  await eventually(() => expect(handled).toEqual(['Two true']));
  await worker.drain();
  await worker.stop();
  await again.close();
  const rest = await deadLetters(location, group, 'list', '--json');
  expect(rest.lines.map(([line]) => JSON.parse(line!).type)).toEqual(['Three']);
  expect((await deadLetters(location, group, 'discard')).code).toBe(0);
  expect((await deadLetters(location, group, 'list')).lines).toEqual([]);
  await trimmed(location, randomId());
}

/** The event of a dead letter is gone when somebody wants it to be handled again. */
async function trimmed(location: string, group: string): Promise<void> {
  const store = await openStore(location);
  await failThrice(store, group);
  const [, two] = await listDeadLetters(store.log, group);
  await store.log.trim(two!.log, two!.id);
  await store.close();
  const { lines, code, stderr } = await deadLetters(location, group, 'redrive');
  expect([lines.length, code]).toEqual([3, 0]);
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/^\S+ skipped: \S+ of \S+ was trimmed, so nothing is left to handle\.$/),
    expect.stringMatching(`^${two!.letter} skipped: ${two!.id} of ${two!.log} was trimmed,`),
    '',
  ]);
  const rest = await deadLetters(location, group, 'list');
  expect(rest.lines.map(([, , , type]) => type)).toEqual(['Three']);
}

test('embedded: lists, redrives and discards', async () => {
  using folder = temporaryFolder();
  await tryAll(join(folder.path, 'data'), randomId());
});

test('Redis: does the same, with the rights of the manual', async () => {
  await using redis = await RedisServer.start();
  const manual = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
  const rule = /^ACL SETUSER millrace on >secret .*$/m.exec(manual)![0];
  execFileSync('redis-cli', ['-p', `${redis.port}`, ...rule.split(' ')]);
  await tryAll(`redis://millrace:secret@127.0.0.1:${redis.port}`, randomId());
  const log = execFileSync('redis-cli', ['-p', `${redis.port}`, 'ACL', 'LOG']).toString();
  expect(log).not.toMatch(/\S/);
});

test('says what is wrong', async () => {
  using folder = temporaryFolder();
  const store = join(folder.path, 'data');
  const wrong = await deadLetters(store, 'mail', 'remove');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('takes one of list, redrive, discard, not "remove"');
  expect((await deadLetters(store, 'a b', 'list')).code).toBe(2);
  expect((await deadLetters(store, 'mail', 'list', '--id', '1-0')).code).toBe(2);
  const misspelt = await deadLetters(store, 'nosuch', 'list');
  expect([misspelt.code, misspelt.lines, misspelt.stderr]).toEqual([
    0,
    [],
    'The group nosuch has no dead letters, and never had one: is that its name?\n',
  ]);
  await using without = runMillrace(['dead-letters', 'list', '--store', store]);
  expect(await without.ended()).toBe(2);
  expect(without.stderr).toContain('--group');
});
