import { expect, test } from 'vitest';
import { FollowedLog } from '../../../../src/client/connection/followed-log.ts';
import type { LogFrame } from '../../../../src/client/connection/transport.ts';
import type { ClientStart, Receiver } from '../../../../src/client/upstream.ts';
import { StoredEvent } from '../../../../src/event/event.ts';
import { parseEventId } from '../../../../src/event/event-id.ts';
import { parseLogName } from '../../../../src/event/log-name.ts';

const log = parseLogName('room:1');
const id = (text: string) => parseEventId(text);

function follower(start: ClientStart) {
  const told: string[] = [];
  const receiver: Receiver = {
    events: (_log, events) => told.push(...events.map((event) => event.id)),
    live: (_log, at) => told.push(`live ${at}`),
    trimmed: (_log, resumeAfter) => told.push(`trimmed ${resumeAfter}`),
    reset: (_log, version) => told.push(`reset ${version}`),
    failed: () => {},
  };
  const followed = new FollowedLog(start);
  const take = (frame: Exclude<LogFrame, { op: 'error' }>) => {
    told.length = 0;
    followed.take(frame, receiver);
    return [...told];
  };
  const events = (...ids: string[]) =>
    take({
      op: 'events',
      log,
      events: ids.map((each) => new StoredEvent(id(each), 'T', 'text', '', undefined)),
    });
  const live = (at: string) => take({ op: 'live', log, at: id(at) });
  return { followed, take, events, live };
}

test('what was received is passed over, and another connection goes on behind it', () => {
  const { followed, events, live } = follower({ after: id('5-0') });
  expect(events('5-0', '6-0', '7-0')).toEqual(['6-0', '7-0']);
  expect(events('6-0', '7-0')).toEqual([]);
  expect(live('7-0')).toEqual(['live 7-0']);
  expect(live('7-0')).toEqual([]);
  expect(followed.start).toEqual({ after: '7-0' });
  expect(events('8-0')).toEqual(['8-0']);
});

test.each(['now', { last: 10 }] as const)('after %j, the place of live is one', (start) => {
  const { followed, live } = follower(start);
  expect(followed.start).toEqual(start);
  expect(live('9-0')).toEqual(['live 9-0']);
  expect(followed.start).toEqual({ after: '9-0' });
});

test('after a time it is none, until an event has come', () => {
  const { followed, events, live } = follower({ since: 1_000 });
  expect(live('999-18446744073709551615')).toEqual(['live undefined']);
  expect(followed.start).toEqual({ since: 1_000 });
  expect(events('2000-0')).toEqual(['2000-0']);
  expect(followed.start).toEqual({ after: '2000-0' });
});

test('trimmed goes on behind the hole, reset from the first event', () => {
  const { followed, take, events } = follower({ after: id('5-0') });
  expect(take({ op: 'trimmed', log, resumeAfter: id('9-0') })).toEqual(['trimmed 9-0']);
  expect(followed.start).toEqual({ after: '9-0' });
  expect(take({ op: 'reset', log, version: id('3-0') })).toEqual(['reset 3-0']);
  expect(followed.start).toEqual({ after: '0-0' });
  expect(events('2-0')).toEqual(['2-0']);
});
