/** The table of codes, the codes thrown in `src/` and `docs/protocol.md` are one list. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode, errorCode } from '../../../src/protocol/error-codes.ts';

const root = join(import.meta.dirname, '../../..');
const table = Object.entries(ERROR_CODES) as [string, ErrorCode][];

function sources(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('error-codes.ts'))
    .map((path) => readFileSync(join(root, 'src', path), 'utf8'));
}

function codesThrown(): Set<string> {
  const codes = new Set<string>();
  for (const source of sources()) {
    // What a `super` says is a code where it is an error that says it.
    const isOfErrors = source.includes('extends MillraceError');
    for (const [, code] of source.matchAll(
      isOfErrors
        ? /(?:super|MillraceError|protocolError)\(\s*'([a-z_0-9]+)'/g
        : /(?:MillraceError|protocolError)\(\s*'([a-z_0-9]+)'/g,
    )) {
      codes.add(code!);
    }
    for (const [, code] of source.matchAll(
      /(?:InvalidInput|refuseUnknown)\([^;]*?'([a-z_0-9]+)',?\s*\)/g,
    )) {
      codes.add(code!);
    }
    // What the client hands back is a failure, thrown or not.
    for (const [, code] of source.matchAll(/\bcode: [^;,}\n]*'([a-z_0-9]+)',?/g)) codes.add(code!);
  }
  return codes;
}

test('every code that is thrown is in the table', () => {
  const thrown = codesThrown();
  expect(thrown.size).toBeGreaterThan(25);
  expect([...thrown].filter((code) => !Object.hasOwn(ERROR_CODES, code))).toEqual([]);
});

test('every code in the table is used', () => {
  const all = sources().join('\n');
  expect(table.map(([code]) => code).filter((code) => !all.includes(`'${code}'`))).toEqual([]);
});

test('docs/protocol.md has the same codes, statuses, close codes and meanings, in the same order', () => {
  const document = readFileSync(join(root, 'docs/protocol.md'), 'utf8');
  const rows = [
    ...document.matchAll(/^\| `([a-z_0-9]+)` \| (\d{3}) \| (\d{4})?.*? ?\| (.*) \|$/gm),
  ];
  const documented = rows.map(([, code, status, close, meaning]) => [
    code,
    { status: Number(status), meaning, ...(close === undefined ? {} : { close: Number(close) }) },
  ]);
  expect(documented).toEqual(table);
});

test('a code that nobody knows counts as internal', () => {
  expect(errorCode('toString').status).toBe(500);
});
