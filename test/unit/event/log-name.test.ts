import { describe, expect, it } from 'vitest';
import { accountIdOf, accountLog, isAccountId, parseLogName } from '../../../src/event/log-name.ts';

describe('parseLogName', () => {
  it('takes a category and an ID', () => {
    const names = ['account:1', 'a:b', 'room.v2:x_Y-9', `${'c'.repeat(64)}:${'i'.repeat(128)}`];
    for (const name of names) expect(parseLogName(name)).toBe(name);
  });

  it('refuses everything else, and says what is allowed', () => {
    const bad = ['', ':', 'account', 'account:', ':1', 'a:b:c', 'a b:1', 'a:{1}', 'a:é', 'a:1\n'];
    const tooLong = [`${'c'.repeat(65)}:1`, `a:${'i'.repeat(129)}`];
    for (const name of [...bad, ...tooLong]) {
      expect(() => parseLogName(name, 'log name'), name).toThrow(
        expect.objectContaining({
          code: 'invalid_log',
          field: 'log name',
          message: expect.stringContaining('category:id'),
        }),
      );
    }
  });
});

describe('accountLog', () => {
  it('is the log of that account', () => {
    expect(accountLog('1')).toBe('account:1');
    expect(accountLog('A.b_c-9')).toBe('account:A.b_c-9');
  });

  it('refuses what is no account ID', () => {
    for (const id of ['', 'a:b', 'a/b', '..%2f', 'é', ' 1', '1\n', 'x'.repeat(129)]) {
      expect(isAccountId(id), id).toBe(false);
      expect(() => accountLog(id), id).toThrow(
        expect.objectContaining({ code: 'invalid_account' }),
      );
    }
  });
});

describe('accountIdOf', () => {
  it('takes text, and whole numbers that JSON brings whole', () => {
    for (const [value, id] of [
      ['1', '1'],
      ['-1.5', '-1.5'],
      ['9007199254740993', '9007199254740993'],
      [0, '0'],
      [42, '42'],
      [Number.MAX_SAFE_INTEGER, '9007199254740991'],
      [JSON.parse('1e3'), '1000'],
    ] as const) {
      expect(accountIdOf(value)).toBe(id);
    }
  });

  it('takes nothing else, whatever text it would make', () => {
    const numbers = [
      JSON.parse('9007199254740993'),
      2 ** 53,
      1e21,
      -1,
      -1.5,
      0.5,
      1 / 0,
      Number.NaN,
    ];
    const others = [undefined, null, true, 5n, ['1'], { toString: () => '1' }, 'a:b', ''];
    for (const value of [...numbers, ...others]) {
      expect([value, accountIdOf(value)]).toEqual([value, undefined]);
      expect(() => accountLog(value as string)).toThrow(
        expect.objectContaining({ code: 'invalid_account' }),
      );
      expect(isAccountId(value as string)).toBe(false);
    }
  });
});
