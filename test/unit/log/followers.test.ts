import { expect, test } from 'vitest';
import { StoredEvent } from '../../../src/event/event.ts';
import { makeEventId, ZERO_ID } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { Followers } from '../../../src/log/followers.ts';
import type { Follower } from '../../../src/log/log.ts';

const A = parseLogName('account:a');
const B = parseLogName('account:b');
const events = (number: number) => [new StoredEvent(makeEventId(number, 0), 'T', 'text', '')];

function follower(heard: string[], name: string, then: (id: string) => void = () => {}): Follower {
  return {
    events: (_previous, [first]) => {
      heard.push(`${name} ${first!.id}`);
      then(first!.id);
    },
    wake: () => void heard.push(`${name} woken`),
    position: () => ZERO_ID,
  };
}

test('events are made once, and only for a log that somebody follows', () => {
  const followers = new Followers();
  const heard: string[] = [];
  let made = 0;
  const make = () => {
    made += 1;
    return events(1);
  };
  followers.tell(A, ZERO_ID, make);
  followers.add(A, follower(heard, 'one'));
  followers.add(A, follower(heard, 'two'));
  followers.tell(B, ZERO_ID, make);
  expect(made).toBe(0);
  followers.tell(A, ZERO_ID, make);
  expect([made, heard]).toEqual([1, ['one 1-0', 'two 1-0']]);
});

test('who appends while it is told does not overtake what the others have yet to hear', () => {
  const followers = new Followers();
  const heard: string[] = [];
  const answer = (id: string) => {
    if (id === '1-0') followers.tell(A, makeEventId(1, 0), () => events(2));
  };
  followers.add(A, follower(heard, 'first', answer));
  followers.add(A, follower(heard, 'second'));
  followers.tell(A, ZERO_ID, () => events(1));
  expect(heard).toEqual(['first 1-0', 'second 1-0', 'first 2-0', 'second 2-0']);
});

test('one that follows twice ends each by itself, and ending twice is no harm', () => {
  const followers = new Followers();
  const heard: string[] = [];
  const same = follower(heard, 'same');
  const [end, endOther] = [followers.add(A, same), followers.add(A, same)];
  end();
  end();
  followers.tell(A, ZERO_ID, () => events(1));
  expect(heard).toEqual(['same 1-0']);
  endOther();
  followers.add(A, follower(heard, 'later'));
  // It has ended before: that of the later one must stay.
  endOther();
  followers.wakeAll();
  expect(heard).toEqual(['same 1-0', 'later woken']);
});

test('one that throws does not keep those after it from what comes later', () => {
  const followers = new Followers();
  const heard: string[] = [];
  const fails = new Error('a mistake');
  const once = (id: string) => {
    if (id === '1-0') throw fails;
  };
  followers.add(A, follower(heard, 'it', once));
  expect(() => followers.tell(A, ZERO_ID, () => events(1))).toThrow(fails);
  followers.tell(A, makeEventId(1, 0), () => events(2));
  expect(heard).toEqual(['it 1-0', 'it 2-0']);
});

test('at the end all are woken a last time', () => {
  const followers = new Followers();
  const heard: string[] = [];
  followers.add(A, follower(heard, 'a'));
  followers.add(B, follower(heard, 'b'));
  followers.end();
  followers.tell(A, ZERO_ID, () => events(1));
  followers.wakeAll();
  expect(heard).toEqual(['a woken', 'b woken']);
});
