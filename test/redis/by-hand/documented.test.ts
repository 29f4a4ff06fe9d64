/** The table in docs/operations.md, and what the tests beside this file try, are the same. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ALL_ROWS } from './rows.ts';

const words = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

test('what the manual says of each key and deed is what is tried', () => {
  const manual = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const [, section] = manual.split('### What anybody can do to the keys\n');
  const table = section!
    .split('\n### ')[0]!
    .split('\n')
    .filter((line) => /^\| `/.test(line));
  const documented = table.flatMap((line) => {
    const [, keys, deeds, then] = line.split(/ ?\| /) as [string, string, string, string];
    const outcome = /^[a-z]+/.exec(then)?.[0];
    return words(keys).flatMap((key) => words(deeds).map((deed) => `${key} ${deed} ${outcome}`));
  });
  const tried = ALL_ROWS.map(({ key, deed, then }) => `${key} ${deed} ${then}`);
  expect(documented.sort()).toEqual(tried.sort());
  expect(new Set(tried).size).toBe(tried.length);
});

test('the manual says of each key what it holds', () => {
  const manual = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const tables = manual.split('| key | type | holds |').slice(1);
  const keys = tables.flatMap((table) =>
    table
      .split('\n\n')[0]!
      .split('\n')
      .flatMap((line) => words(line.split(' | ')[0]!))
      .map((key) => (key.startsWith(':') ? `{work:mail}${key}` : key)),
  );
  const unknown = ALL_ROWS.map(({ key }) => key).filter((key) => !keys.includes(key));
  expect([...new Set(unknown)]).toEqual([]);
});
