import { expect, it } from 'vitest';
import type { Answer } from '../../../../src/gateway/identity/connection.ts';
import { Answers } from '../../../../src/gateway/limits/answers.ts';

class FakeAnswer implements Answer {
  isCut = false;
  end = () => {};

  onEnd(callback: () => void): void {
    this.end = callback;
  }

  cut(): void {
    this.isCut = true;
  }
}

it('cuts the oldest answers when there is no room for a new one', () => {
  const answers = new Answers(100);
  const held = [40, 40, 40, 50].map((bytes) => {
    const answer = new FakeAnswer();
    answers.hold(answer, bytes);
    return answer;
  });
  expect(held.map(({ isCut }) => isCut)).toEqual([true, true, false, false]);
});

it('counts no answer that is sent', () => {
  const answers = new Answers(100);
  for (let count = 0; count < 10; count += 1) {
    const answer = new FakeAnswer();
    answers.hold(answer, 60);
    answer.end();
    expect(answer.isCut).toBe(false);
  }
});

it('sends one that is larger than all the room, and makes room for it', () => {
  const answers = new Answers(100);
  const [small, large, next] = [new FakeAnswer(), new FakeAnswer(), new FakeAnswer()];
  answers.hold(small, 10);
  answers.hold(large, 1_000);
  expect([small.isCut, large.isCut]).toEqual([true, false]);
  answers.hold(next, 10);
  expect([large.isCut, next.isCut]).toEqual([true, false]);
});
