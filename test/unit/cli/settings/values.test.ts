import { expect, test } from 'vitest';
import {
  duration,
  hostName,
  oneOf,
  showDuration,
  showSize,
  size,
  webOrigin,
  whole,
  yesOrNo,
} from '../../../../src/cli/settings/values.ts';

test.each([
  ['500ms', 500],
  ['1s', 1_000],
  ['1.5s', 1_500],
  ['2m', 120_000],
  ['1H', 3_600_000],
  ['0', 0],
  ['1', undefined],
  ['0s', undefined],
  ['-1s', undefined],
  ['1 s', undefined],
  ['0.1ms', undefined],
  ['2h', undefined],
  ['', undefined],
  ['1e3ms', undefined],
  ['Infinityms', undefined],
])('a duration of up to an hour: %s', (text, milliseconds) => {
  expect(duration(3_600_000, 'never').parse(text)).toBe(milliseconds);
});

test('a duration of 0 only where it means something', () => {
  expect(duration(1_000).parse('0')).toBeUndefined();
  expect(duration(1_000).takes).not.toContain('0 for');
  expect(duration(1_000, 'no sweeps').takes).toContain('0 for no sweeps');
});

test.each([
  ['1', 1],
  ['4096', 4_096],
  ['64kb', 65_536],
  ['64KB', 65_536],
  ['1mb', 1_048_576],
  ['0.5mb', 524_288],
  ['12b', 12],
  ['0', undefined],
  ['2gb', undefined],
  ['64 kb', undefined],
  ['64k', undefined],
  ['-1', undefined],
  ['0x10', undefined],
])('a size of up to a gigabyte: %s', (text, bytes) => {
  expect(size(1, 1_073_741_824).parse(text)).toBe(bytes);
});

test('sizes and durations are shown as they are written', () => {
  expect([1, 1_000, 65_536, 1_048_576, 8_388_608].map(showSize)).toEqual([
    '1',
    '1000',
    '64kb',
    '1mb',
    '8mb',
  ]);
  expect([0, 500, 1_000, 90_000, 120_000].map(showDuration)).toEqual([
    '0',
    '500ms',
    '1s',
    '90s',
    '2m',
  ]);
});

test('whole numbers', () => {
  const port = whole(0, 65_535);
  expect(port.parse('4000')).toBe(4_000);
  expect(port.parse('0')).toBe(0);
  for (const text of ['65536', '-1', '1.0', '4000x', '', ' 1', '9'.repeat(400)]) {
    expect(port.parse(text)).toBeUndefined();
  }
});

test('words and switches', () => {
  expect(oneOf(['info', 'warn']).parse('WARN')).toBe('warn');
  expect(oneOf(['info', 'warn']).parse('loud')).toBeUndefined();
  expect(oneOf(['info', 'warn']).takes).toBe('one of info, warn');
  expect(['true', '1', 'false', '0', 'maybe'].map((text) => yesOrNo.parse(text))).toEqual([
    true,
    true,
    false,
    false,
    undefined,
  ]);
});

test('hosts', () => {
  expect(hostName.parse('127.0.0.1')).toBe('127.0.0.1');
  expect(hostName.parse('[::1]')).toBe('::1');
  expect(hostName.parse('http://localhost')).toBeUndefined();
  expect(hostName.parse('a b')).toBeUndefined();
});

test.each([
  ['https://app.example.com', 'https://app.example.com'],
  ['https://app.example.com/', 'https://app.example.com'],
  ['HTTPS://App.Example.com:443', 'https://app.example.com'],
  ['http://localhost:3000', 'http://localhost:3000'],
  ['*', '*'],
  ['app.example.com', undefined],
  ['https://app.example.com/path', undefined],
  ['https://*.example.com/x', undefined],
  ['null', undefined],
  ['file:///x', undefined],
])('an origin: %s', (text, origin) => {
  expect(webOrigin.parse(text)).toBe(origin);
});
