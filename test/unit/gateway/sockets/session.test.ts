import { expect, test } from 'vitest';
import { makeEventId } from '../../../../src/event/event-id.ts';
import { parseLogName } from '../../../../src/event/log-name.ts';
import {
  Closed,
  OutcomeUnknown,
  ProducerFenced,
  ProducerGap,
  Unavailable,
  VersionConflict,
  WrongType,
} from '../../../../src/event/store-errors.ts';
import { eventually } from '../../../support/eventually.ts';
import { scene, settled } from '../fakes.ts';

const OWN = parseLogName('account:1');

test('a session follows its own log from where the socket starts', () => {
  const { live } = scene();
  expect(live.subscriptions.map(({ log, start }) => [log, start])).toEqual([[OWN, 'now']]);
});

test('appends are answered as they finish, with their ref', async () => {
  const { say, log, socket } = scene();
  say({ op: 'append', ref: 1, events: [{ type: 'A', payload: 1 }] });
  say({ op: 'append', ref: 2, log: 'account:2', events: [{ type: 'B', payload: 1 }] });
  expect(log.pending.map((append) => [append.log, append.types])).toEqual([
    ['account:1', ['A']],
    ['account:2', ['B']],
  ]);
  await log.pending[1]!.resolve({ version: makeEventId(2, 0), duplicate: true });
  await log.pending[0]!.resolve({ ids: [makeEventId(1, 0)], version: makeEventId(1, 0) });
  expect(socket.told).toEqual([
    { op: 'appended', ref: 2, ids: [], version: '2-0', duplicate: true },
    { op: 'appended', ref: 1, ids: ['1-0'], version: '1-0', duplicate: false },
  ]);
});

test.each([
  [new VersionConflict(OWN, makeEventId(1, 0), makeEventId(2, 0)), { actual: '2-0' }],
  [new ProducerGap('p', 5, 3), { expectedSeq: 3 }],
  [new ProducerFenced('p', 1, 2), { currentEpoch: 2 }],
  [new Unavailable('gone'), {}],
  [new OutcomeUnknown('gone'), {}],
])('a refused append: %s', async (error, details) => {
  const { say, log, socket } = scene();
  say({ op: 'append', ref: 1, events: [{ type: 'A', payload: 1 }] });
  await log.pending[0]!.reject(error);
  expect(socket.told).toEqual([
    { op: 'error', ref: 1, code: error.code, message: error.message, ...details },
  ]);
});

test('an error that nobody planned shows nothing of itself', async () => {
  const { say, log, socket } = scene();
  say({ op: 'append', ref: 1, events: [{ type: 'A', payload: 1 }] });
  await log.pending[0]!.reject(new Error('password=secret'));
  expect(socket.told).toMatchObject([{ op: 'error', ref: 1, code: 'internal' }]);
  expect(socket.sent[0]).not.toContain('secret');
});

test('beyond the appends that may be under way nothing is read, and the rest keeps its order', async () => {
  const { say, log, socket } = scene({ maxAppendsInFlight: 2 });
  for (let ref = 0; ref < 5; ref += 1) {
    say({ op: 'append', ref, events: [{ type: `T${ref}`, payload: 1 }] });
  }
  expect(log.pending).toHaveLength(2);
  expect(socket.isReading).toBe(false);
  await log.pending[0]!.resolve();
  expect(log.pending).toHaveLength(3);
  expect(socket.isReading).toBe(false);
  for (let index = 1; index < 5; index += 1) await log.pending[index]!.resolve();
  expect(log.pending.flatMap(({ types }) => types)).toEqual(['T0', 'T1', 'T2', 'T3', 'T4']);
  expect(socket.isReading).toBe(true);
});

test('beyond what appends under way and their answers may take, nothing is read either', async () => {
  const { say, log, socket } = scene({ maxAppendBytesInFlight: 100_000 });
  // A small message each, and a large answer.
  const events = Array.from({ length: 1_000 }, () => ({ type: 'T', payload: 1 }));
  for (let ref = 0; ref < 5; ref += 1) say({ op: 'append', ref, events });
  // To parse them may take more than one turn of the event loop.
  await eventually(() => log.pending.length === 2 && !socket.isReading);
  await log.pending[0]!.resolve();
  await eventually(() => log.pending.length === 3);
  for (let index = 1; index < 5; index += 1) {
    await eventually(() => log.pending.length > index);
    await log.pending[index]!.resolve();
  }
  await eventually(() => socket.isReading);
  expect(socket.told.map(({ ref }) => ref)).toEqual([0, 1, 2, 3, 4]);
});

test('what all sockets have sent has a limit as well, and is free again when it is answered', async () => {
  const { say, log, socket } = scene({ maxBodyBytesTogether: 2_000 });
  const append = (ref: number) =>
    say({ op: 'append', ref, events: [{ type: 'T', payload: 'x'.repeat(1_000) }] });
  append(1);
  append(2);
  expect(log.pending).toHaveLength(1);
  expect(socket.told).toMatchObject([{ op: 'error', ref: 2, code: 'overloaded' }]);
  await log.pending[0]!.reject(new Error('no'));
  append(3);
  expect(log.pending).toHaveLength(2);
});

test('a client that asks and does not read is not answered without end', async () => {
  const { say, socket, session } = scene({ sendBufferBytes: 1_000 });
  const send = socket.send.bind(socket);
  socket.send = (message) => {
    send(message);
    socket.bytesWaiting += message.length;
  };
  for (let ref = 0; ref < 10_000; ref += 1) say({ op: 'ping', ref });
  expect(socket.isReading).toBe(false);
  expect(socket.bytesWaiting).toBeLessThan(1_100);
  let rounds = 0;
  while (!socket.isReading) {
    rounds += 1;
    socket.bytesWaiting = 0;
    session.drained();
    expect(socket.bytesWaiting).toBeLessThan(1_100);
    // After some operations in a row, the others have a turn.
    await turn();
  }
  expect(rounds).toBeGreaterThan(100);
  expect(socket.told.map(({ ref }) => ref)).toEqual([...Array(10_000).keys()]);
});

test('whoever sends without a pause lets the others have a turn, and loses nothing', async () => {
  const { say, socket } = scene();
  for (let ref = 0; ref < 1_000; ref += 1) say({ op: 'ping', ref });
  expect(socket.sent).toHaveLength(128);
  expect(socket.isReading).toBe(false);
  await eventually(() => socket.isReading);
  expect(socket.told.map(({ ref }) => ref)).toEqual([...Array(1_000).keys()]);
});

test('a full socket makes the subscription wait, a drained one lets it go on', () => {
  const { live, socket, session } = scene({ sendBufferBytes: 1_000 });
  const subscription = live.of('account:1');
  expect(subscription.sink.ready()).toBe(true);
  socket.bytesWaiting = 1_000;
  expect(subscription.sink.ready()).toBe(false);
  expect(subscription.sink.ready()).toBe(false);
  socket.bytesWaiting = 0;
  session.drained();
  session.drained();
  expect(subscription.calls).toEqual(['drained']);
});

test('a peer that takes what waits for it is alive; one that takes nothing need not be', () => {
  const { socket, session, context } = scene();
  const showsLife = (change: Partial<typeof socket>): boolean => {
    session.seenAt = -1;
    Object.assign(socket, change);
    session.beat();
    return session.seenAt === context.heartbeat.now;
  };
  // What our own end of the network takes at once says nothing about the peer.
  expect(showsLife({ bytesTaken: 100 })).toBe(false);
  expect(showsLife({ bytesTaken: 200, bytesWaiting: 1_000 })).toBe(false);
  expect(showsLife({ bytesTaken: 200 })).toBe(false);
  expect(showsLife({ bytesTaken: 201 })).toBe(true);
  expect(showsLife({ bytesTaken: 1_201, bytesWaiting: 0 })).toBe(true);
  expect(showsLife({ bytesTaken: 1_300 })).toBe(false);
});

test('a socket that follows one log reads as it likes, one that follows several in turn', () => {
  const { live, say } = scene();
  const { sink } = live.of('account:1');
  expect(sink.turns).toBeUndefined();
  say({ op: 'subscribe', log: 'room:1' });
  expect(sink.turns).toBeDefined();
  expect(live.of('room:1').sink.turns).toBe(sink.turns);
});

test('pause and resume hold for all logs, and for those that come meanwhile', () => {
  const { live, say } = scene();
  say({ op: 'subscribe', log: 'room:1' });
  say({ op: 'pause' });
  say({ op: 'subscribe', log: 'room:2' });
  say({ op: 'resume' });
  for (const log of ['account:1', 'room:1', 'room:2']) {
    expect(live.of(log).calls).toEqual(['pause', 'resume']);
  }
});

test('several logs: no log twice, none that is not followed, and not too many', () => {
  const { live, say, socket } = scene({ maxSubscriptions: 2 });
  say({ op: 'subscribe', ref: 1, log: 'account:1' });
  say({ op: 'unsubscribe', ref: 2, log: 'room:1' });
  say({ op: 'subscribe', ref: 3, log: 'room:1', after: '5-0' });
  say({ op: 'subscribe', ref: 4, log: 'room:2' });
  expect(socket.told.map(({ ref, code, log }) => [ref, code, log])).toEqual([
    [1, 'already_subscribed', 'account:1'],
    [2, 'not_subscribed', 'room:1'],
    [4, 'too_many_subscriptions', 'room:2'],
  ]);
  expect(live.of('room:1').start).toEqual({ after: '5-0' });
  say({ op: 'unsubscribe', log: 'room:1' });
  say({ op: 'subscribe', log: 'room:2' });
  expect(live.of('room:1').calls).toEqual(['close']);
  expect(socket.sent).toHaveLength(3);
});

test('what the subscription tells comes as frames', () => {
  const { live, socket } = scene();
  const { sink } = live.of('account:1');
  sink.trimmed(makeEventId(1, 0));
  sink.reset(makeEventId(2, 0));
  sink.live(makeEventId(3, 0));
  expect(socket.told).toEqual([
    { op: 'trimmed', log: 'account:1', resumeAfter: '1-0' },
    { op: 'reset', log: 'account:1', version: '2-0' },
    { op: 'live', log: 'account:1', at: '3-0' },
  ]);
});

test('a subscription that fails by itself is told, and can be started again', () => {
  const { live, say, socket } = scene();
  live.of('account:1').sink.failed(new WrongType('account:1:log'));
  expect(socket.told).toMatchObject([{ op: 'error', log: 'account:1', code: 'wrong_type' }]);
  say({ op: 'subscribe' });
  expect(live.subscriptions).toHaveLength(2);
  live.failure = new Closed();
  say({ op: 'subscribe', ref: 1, log: 'room:1' });
  expect(socket.told[1]).toMatchObject({ ref: 1, code: 'closed' });
});

test('messages that cannot be read are refused in turn', () => {
  const { session, socket } = scene();
  session.refuse('binary_frame');
  session.receive('{');
  expect(socket.told.map(({ code }) => code)).toEqual(['binary_frame', 'invalid_json']);
  expect(socket.closedWith).toBeUndefined();
});

test('a broken protocol is told before the connection goes', () => {
  const { session, socket, say } = scene();
  expect(session.fail(1007)).toBe('invalid_utf8');
  say({ op: 'ping' });
  expect(socket.told.map(({ code }) => code)).toEqual(['invalid_utf8']);
});

test('a connection that is gone leaves nothing behind', () => {
  const { session, live, context, say } = scene();
  say({ op: 'subscribe', log: 'room:1' });
  session.closed();
  expect(live.subscriptions.map(({ calls }) => calls)).toEqual([['close'], ['close']]);
  expect(context.sessions.size).toBe(0);
  say({ op: 'subscribe', log: 'room:2' });
  expect(live.subscriptions).toHaveLength(2);
});

test('finishing lets appends end, takes no more, then closes with 1001', async () => {
  const { session, log, socket, say } = scene();
  say({ op: 'append', ref: 1, events: [{ type: 'A', payload: 1 }] });
  const finished = session.finish();
  say({ op: 'append', ref: 2, events: [{ type: 'B', payload: 1 }] });
  await settled();
  expect(socket.closedWith).toBeUndefined();
  await log.pending[0]!.resolve();
  await finished;
  expect(socket.told).toMatchObject([{ op: 'appended', ref: 1 }]);
  expect(log.pending).toHaveLength(1);
  expect(socket.closedWith).toEqual({ code: 1001, reason: 'shutting_down' });
});

test('silence ends a session, unless it is the session that does not read', async () => {
  const { session, log, socket, say } = scene();
  say({ op: 'append', ref: 1, events: [{ type: 'A', payload: 1 }] });
  session.expire();
  expect(socket.closedWith).toBeUndefined();
  await log.pending[0]!.resolve();
  session.expire();
  expect(socket.closedWith).toEqual({ code: 1001, reason: 'idle_timeout' });
});

test('a halted session reads again when it closes, so that the peer can answer', () => {
  const { session, socket, say } = scene({ sendBufferBytes: 1_000 });
  socket.bytesWaiting = 1_000;
  say({ op: 'ping' });
  expect(socket.isReading).toBe(false);
  session.expire();
  expect(socket.isReading).toBe(true);
  say({ op: 'ping' });
  expect(socket.told).toHaveLength(1);
});

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 2);
  });
}
