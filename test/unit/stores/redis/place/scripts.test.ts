/** Every script says how many keys it takes, at its head and where it is loaded, and is called through one function. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'ioredis';
import { expect, it, test } from 'vitest';
import * as feed from '../../../../../src/stores/redis/feed/scripts.ts';
import * as log from '../../../../../src/stores/redis/log/scripts.ts';
import {
  CLOCK,
  callScript,
  EVENT_IDS,
  loadScript,
  type Script,
} from '../../../../../src/stores/redis/place/scripts.ts';
import * as readModels from '../../../../../src/stores/redis/read-models/scripts.ts';
import * as records from '../../../../../src/stores/redis/records/scripts.ts';
import * as workQueues from '../../../../../src/stores/redis/work-queues/scripts.ts';

const redis = new URL('../../../../../src/stores/redis/', import.meta.url);
const place = (name: string) => new URL(`place/${name}`, redis);

const SCRIPTS: readonly Script[] = [
  ...[log, feed, records, readModels, workQueues].flatMap((each) => Object.values(each)),
  loadScript(place('rights.lua'), 0),
];

/** The files that are scripts: what others are put together from has no head. */
const FILES = readdirSync(redis, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.lua'))
  .map((name) => [name, readFileSync(new URL(name, redis), 'utf8')] as const)
  .filter(([, text]) => /^(#!.*\n)?--\[\[/.test(text));

/** How many keys the head of a script numbers, as `KeyCount` has it. */
function keysAtHead(text: string): string {
  const head = text.slice(0, text.indexOf(']]'));
  const keys = /^KEYS\n([\s\S]*?)^(?:ARGV|Returns)/m.exec(head)?.[1] ?? '';
  const numbers = [...keys.matchAll(/(?:^|\s)\s(\d+)( …)?\s{2,}\S/g)];
  expect(numbers.map(([, number]) => Number(number))).toEqual(numbers.map((_, index) => index + 1));
  return `${numbers.length}${numbers.at(-1)?.[2] === undefined ? '' : '…'}`;
}

test.each(FILES)('%s: its head numbers as many keys as it is loaded with', (_name, text) => {
  const loaded = SCRIPTS.find(({ source }) => source.endsWith(text.replace(/^#!.*\n/, '')));
  expect(loaded).toBeDefined();
  expect(keysAtHead(text)).toBe(String(loaded!.keys));
  expect(text).toMatch(/^Returns\b/m);
});

test.each(FILES)('%s: makes up no key: what it touches is declared', (_name, text) => {
  const code = text.slice(text.indexOf(']]'));
  expect(code.match(/'[^'\n]*\}:[a-z][^'\n]*'/g)).toBeNull();
});

it('finds all of them', () => {
  expect(FILES.length).toBe(SCRIPTS.length);
});

it('puts parts before a script, and what Redis must know first before these', () => {
  const { source } = loadScript(new URL('log/trim.lua', redis), 2, EVENT_IDS, CLOCK);
  const [first, second] = source.split('\n');
  expect(first).toMatch(/^#!lua /);
  expect(second).toMatch(/^-- /);
  expect(source.match(/^#!/gm)).toHaveLength(1);
});

/** A client that does not know the script the first time, and notes what it is asked. */
function forgetful() {
  const asked: Command[] = [];
  return {
    asked,
    sendCommand(command: Command): Promise<unknown> {
      asked.push(command);
      if (asked.length > 1) return Promise.resolve('done');
      const error = new Error('NOSCRIPT No matching script.');
      return Promise.reject(Object.assign(error, { name: 'ReplyError' }));
    },
  };
}

it('is called by its digest, then with its text; both times the client knows the keys', async () => {
  const script: Script = { source: 'return 1', digest: 'f'.repeat(40), keys: 2 };
  const client = forgetful();
  expect(await callScript(client, script, ['a', 'b'], ['value', 7])).toBe('done');
  expect(client.asked.map(({ name, args }) => [name, ...args.map(String)])).toEqual([
    ['evalsha', script.digest, '2', 'a', 'b', 'value', '7'],
    ['eval', script.source, '2', 'a', 'b', 'value', '7'],
  ]);
  expect(client.asked.map((command) => command.getKeys().map(String))).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
});

it('is the only way: outside of the place nobody opens a connection, or sends a script by hand', () => {
  const files = readdirSync(redis, { recursive: true, encoding: 'utf8' });
  const speakers = files
    .filter((name) => name.endsWith('.ts') && !name.startsWith('place'))
    .filter((name) => {
      const text = readFileSync(new URL(name, redis), 'utf8');
      return /^import \{.*from 'ioredis'|createConnection|\beval(sha)?\(/m.test(text);
    });
  expect(speakers).toEqual([]);
});
