import { expect, test } from 'vitest';
import { Lanes, UNANSWERED } from '../../../../src/client/connection/lanes.ts';
import type { AttemptAnswer } from '../../../../src/client/upstream.ts';
import { parseLogName } from '../../../../src/event/log-name.ts';

const log = parseLogName('room:1');
const refused: AttemptAnswer = { kind: 'refused', failure: { code: 'forbidden', message: 'no' } };
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Appends that are answered when the test says so. */
class Appends {
  readonly sent: string[] = [];
  readonly #answers = new Map<string, (answer: AttemptAnswer) => void>();
  readonly #lanes = new Lanes();

  add(name: string, socket?: object, to = log): Promise<AttemptAnswer> {
    return this.#lanes.add(to, socket, () => {
      this.sent.push(name);
      return new Promise((resolve) => this.#answers.set(name, resolve));
    });
  }

  async answer(name: string, answer = refused): Promise<void> {
    this.#answers.get(name)!(answer);
    await settled();
  }
}

test('over a socket all go at once', () => {
  const appends = new Appends();
  const socket = {};
  for (const name of ['a', 'b', 'c']) void appends.add(name, socket);
  expect(appends.sent).toEqual(['a', 'b', 'c']);
});

test('requests go one after the other, those of other logs beside them', async () => {
  const appends = new Appends();
  void appends.add('a');
  void appends.add('b');
  void appends.add('other', undefined, parseLogName('room:2'));
  expect(appends.sent).toEqual(['a', 'other']);
  await appends.answer('a');
  expect(appends.sent).toEqual(['a', 'other', 'b']);
});

test('whoever changes the way waits until the other is empty', async () => {
  const appends = new Appends();
  const socket = {};
  void appends.add('a', socket);
  void appends.add('b', socket);
  void appends.add('large');
  void appends.add('c', socket);
  void appends.add('d', socket);
  await appends.answer('b');
  expect(appends.sent).toEqual(['a', 'b']);
  await appends.answer('a');
  expect(appends.sent).toEqual(['a', 'b', 'large']);
  await appends.answer('large');
  expect(appends.sent).toEqual(['a', 'b', 'large', 'c', 'd']);
  await appends.answer('c');
  await appends.answer('d');
  void appends.add('e', {});
  expect(appends.sent.at(-1)).toBe('e');
});

test('nothing overtakes what was not answered', async () => {
  const appends = new Appends();
  const first = appends.add('a');
  const second = appends.add('b');
  const third = appends.add('c', {});
  await appends.answer('a', UNANSWERED);
  expect(await Promise.all([first, second, third])).toEqual([UNANSWERED, UNANSWERED, UNANSWERED]);
  expect(appends.sent).toEqual(['a']);
  // A new try may go.
  void appends.add('a again');
  expect(appends.sent).toEqual(['a', 'a again']);
});
