/** docs/security.md names tests and sources that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const docs = join(import.meta.dirname, '../../docs');

test('every row has something to show, and what it names is there', () => {
  const text = readFileSync(join(docs, 'security.md'), 'utf8');
  const targets = [...text.matchAll(/\]\((\.\.\/[^)#]+)\)/g)].map((match) => match[1]!);
  expect(targets.length).toBeGreaterThan(20);
  expect(targets.filter((target) => !existsSync(join(docs, target)))).toEqual([]);
  const rows = text.split('\n').filter((line) => /^\| (?!threat|---)/.test(line));
  expect(rows.filter((row) => row.split(' | ').length !== 3)).toEqual([]);
});
