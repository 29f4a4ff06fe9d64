import { describe, expect, test, vi } from 'vitest';
import { InvalidInput, MillraceError } from '../../../src/event/error.ts';
import {
  asError,
  codeOf,
  comesLater,
  isA,
  kindOf,
  onlyTold,
  textOf,
  thrownAt,
} from '../../../src/event/thrown.ts';
import { ODD_ANSWERS, ODD_THINGS } from '../../support/odd-things.ts';

describe.each(Object.keys(ODD_THINGS))('%s, thrown,', (name) => {
  const thrown = ODD_THINGS[name]!;

  test('has a text of some bounded length', () => {
    for (const text of [textOf(thrown()), kindOf(thrown())]) {
      expect(typeof text).toBe('string');
      expect(text).not.toBe('');
      expect(text.length).toBeLessThanOrEqual(1_000);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  test('can be asked what it is', () => {
    expect(isA(thrown(), MillraceError)).toBe(false);
    expect(codeOf(thrown())).toBeUndefined();
    expect(['string', 'undefined']).toContain(typeof thrownAt(thrown()));
  });

  test('is told of by an error that can be looked at', () => {
    const error = asError(thrown());
    expect(error).toBeInstanceOf(Error);
    for (const text of [error.name, error.message, error.stack]) expect(text).toBeTypeOf('string');
  });
});

test('texts are honest', () => {
  const texts = Object.entries(ODD_THINGS).map(([name, thrown]) => [name, textOf(thrown())]);
  expect(Object.fromEntries(texts)).toMatchObject({
    'an error like others': 'the printer is off',
    'an error without a message': 'Error, without a message',
    'an error whose message is a number': 'Error: 42',
    'an error whose message throws': 'Error, without a message',
    'a frozen error': 'the printer is frozen',
    undefined: 'undefined',
    null: 'null',
    'a text': 'the printer is off',
    'an empty text': 'an empty text',
    'a symbol': 'Symbol(off)',
    'a function': 'a function was thrown',
    'an object': 'an object that is no error was thrown',
    'an object with a message': 'the printer is off',
    'an object without a prototype': 'an object that is no error was thrown',
    'a proxy that was revoked': 'an object that is no error was thrown',
    'a promise that is rejected': 'an object that is no error (Promise) was thrown',
  });
});

test('an error of ours stays what it is', () => {
  const error = new InvalidInput('field', 'must be something');
  expect(asError(error)).toBe(error);
  expect(isA(error, MillraceError)).toBe(true);
  expect(codeOf(error)).toBe('invalid_input');
  expect(kindOf(error)).toBe('InvalidInput');
  expect(thrownAt(error)).toMatch(/thrown\.test\.ts/);
});

test('answers that come later are told from others, and their failure ends no process', async () => {
  for (const answer of [undefined, null, 0, 'then', {}, [], () => {}]) {
    expect(comesLater(answer)).toBe(false);
  }
  expect(comesLater(ODD_ANSWERS['a promise that is rejected']!())).toBe(true);
  expect(comesLater(ODD_ANSWERS['a thenable that rejects']!())).toBe(true);
  expect(comesLater(ODD_ANSWERS['a thenable that throws']!())).toBe(true);
  await new Promise(setImmediate); // where a rejection that nobody has handled would be noticed
});

describe('who is only told something', () => {
  const failures = {
    ...Object.fromEntries(
      Object.entries(ODD_THINGS).map(([name, thrown]) => [
        `throws ${name}`,
        () => {
          throw thrown();
        },
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(ODD_ANSWERS).map(([name, answer]) => [`answers ${name}`, answer]),
    ),
  };

  test.each(Object.keys(failures))('and %s harms nobody, and is told of once', async (name) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const told = onlyTold('onNotice', failures[name]!);
      for (let time = 1; time <= 2; time += 1) expect(told()).toBeUndefined();
      await new Promise(setImmediate);
      expect(said.mock.calls).toEqual([[expect.stringMatching(/^millrace: onNotice threw: ./)]]);
    } finally {
      said.mockRestore();
    }
  });

  test('is told all that there is to tell', () => {
    const told: unknown[] = [];
    onlyTold('onNotice', (...parameters: unknown[]) => told.push(parameters))(1, 'two');
    expect(told).toEqual([[1, 'two']]);
  });
});
