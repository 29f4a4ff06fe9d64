/** `millrace project` as a process: what it counts, prints and refuses, and how it ends. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { accountLog } from '../../src/event/log-name.ts';
import { openStore } from '../../src/stores/open.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { RedisServer } from '../support/redis-server.ts';
import { root, runMillrace, temporaryFolder } from './command.ts';

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}, 60_000);

const COUNTS = `
  name: 'counts',
  category: 'account',
  initial: () => ({ events: 0 }),
  on: { Counted: (state) => { state.events += 1; } },
`;

function moduleIn(folder: string, text: string, name = 'projections.mjs'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function append(location: string, count: number): Promise<void> {
  const store = await openStore(location);
  for (let index = 0; index < count; index += 1) {
    await store.log.append(accountLog('1'), [{ type: 'Counted', payload: index }]);
  }
  await store.close();
}

test('--once counts what there is, says how far it is, and ends', async () => {
  using folder = temporaryFolder();
  const store = join(folder.path, 'data');
  await append(store, 25);
  const module = moduleIn(
    folder.path,
    `export const counts = {${COUNTS}};
     export const more = [{ name: 'more', initial: () => 0, on: { Counted: (n) => n + 1 } }];
     export default counts;
     export const other = 5;`,
  );
  for (let round = 0; round < 2; round += 1) {
    await using command = runMillrace(['project', module, '--store', store, '--once']);
    expect(await command.ended(), command.stderr).toBe(0);
    expect(command.stdout).toContain('counts (version 1): stopped, 25 of 25');
    expect(command.stdout).toContain('more (version 1): stopped, 25 of 25');
    expect(command.stderr).toBe('');
  }
  const opened = await openStore(store);
  expect(await opened.readModels.get('counts@1', ['account:1'])).toEqual(['{"events":25}']);
  expect(await opened.readModels.get('more@1', ['account:1'])).toEqual(['25']);
  await opened.close();
});

test('without --once it stays, shows the lag, and ends in order', async () => {
  using folder = temporaryFolder();
  await using server = await RedisServer.start();
  const module = moduleIn(folder.path, `export const counts = {${COUNTS}};`);
  await append(server.url(), 5);
  await using command = runMillrace(['project', module, '--store', server.url()]);
  await command.printed(/counts \(version 1\): live, lag 0, 5 of 5/);
  await append(server.url(), 4);
  const store = await openStore(server.url());
  await eventually(async () => {
    expect(await store.readModels.get('counts@1', ['account:1'])).toEqual(['{"events":9}']);
  });
  await command.printed(/live, lag 0, 9 of 9/);
  command.child.kill('SIGTERM');
  expect(await command.ended()).toBe(0);
  // Its lease is free at once.
  expect(await store.records.get('lease:projection:counts:1')).toBeNull();
  await store.close();
});

test('a projection that fails is told, and ends it with 1', async () => {
  using folder = temporaryFolder();
  const store = join(folder.path, 'data');
  await append(store, 3);
  const module = moduleIn(
    folder.path,
    `export const broken = { name: 'broken', initial: () => 0, retries: { attempts: 1 },
       on: { Counted(n) { if (n === 2) throw new Error('secret'); return n + 1; } } };`,
  );
  await using command = runMillrace(['project', module, '--store', store]);
  expect(await command.ended()).toBe(1);
  expect(command.stderr).toMatch(
    /the projection broken cannot handle the event \d+-\d+ \(Counted\)/,
  );
  expect(command.stderr).not.toContain('secret');
});

test('what is no module of projections is explained', async () => {
  using folder = temporaryFolder();
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['syntax.mjs', 'export const = 5;', /cannot be loaded: .*SyntaxError/s],
    ['nothing.mjs', '', /exports no projection \(it exports nothing\).*defineProjection/s],
    ['other.mjs', 'export const a = 1, b = 2;', /exports no projection \(it exports a, b\)/],
    ['typed.ts', 'export const a: number = 1;', /Compile it first/],
    [
      'wrong.mjs',
      "export const p = { name: 'a b', initial: () => 0, on: {} };",
      /export p .*name must be/,
    ],
    [
      'twice.mjs',
      `export const p = {${COUNTS}}; export const q = {${COUNTS}};`,
      /exports two projections named counts/,
    ],
  ];
  const refused = cases.map(async ([name, text, message]) => {
    await using command = runMillrace(['project', moduleIn(folder.path, text, name)]);
    expect(await command.ended(), name).toBe(2);
    expect(command.stderr, name).toMatch(message);
  });
  await Promise.all(refused);
  await using missing = runMillrace(['project', join(folder.path, randomId())]);
  expect(await missing.ended()).toBe(2);
  expect(missing.stderr).toMatch(/There is no file/);
  await using none = runMillrace(['project']);
  expect(await none.ended()).toBe(2);
  expect(none.stderr).toMatch(/missing required argument 'module'/);
  await using help = runMillrace(['project', '--help']);
  expect(await help.ended()).toBe(0);
  expect(help.stdout).toMatch(/--once.*Examples:/s);
});
