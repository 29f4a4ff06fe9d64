/** What becomes of a socket that can do less than others, or more. */
import { expect, test } from 'vitest';
import { StoredEvent } from '../../../../src/event/event.ts';
import { makeEventId } from '../../../../src/event/event-id.ts';
import { accountLog } from '../../../../src/event/log-name.ts';
import type { SocketFrames } from '../../../../src/gateway/sockets/socket.ts';
import { Batch } from '../../../../src/live/batch.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeSocket, scene } from '../fakes.ts';

const OWN = accountLog('1');

function batchOf(bytes: number): Batch {
  const payload = JSON.stringify('x'.repeat(bytes));
  const event = new StoredEvent(makeEventId(1, 0), 'T', 'json', payload);
  return new Batch(OWN, [event]);
}

class Unstoppable extends FakeSocket {
  override reading = undefined;
}

class Uncounted extends FakeSocket {
  override bytesTaken = undefined;
}

/** Writes frames that a test can read: `(a b` is the first fragment of a message, `c)` its last. */
class Framed extends FakeSocket {
  readonly written: string[] = [];
  room = true;
  readonly frames: SocketFrames<string> = {
    framing: {
      whole: (messages) => messages.map((text) => `(${text})`).join(''),
      part: (text, isFirst, isLast) => `${isFirst ? '(' : ''}${text}${isLast ? ')' : ''}`,
    },
    isOpen: true,
    write: (frame) => void this.written.push(frame),
    writeAtOnce: (frame) => {
      this.written.push(frame);
      return this.room;
    },
  };

  /** The messages that have come whole. */
  get messages(): string[] {
    return [...this.written.join('').matchAll(/\((.*?)\)/g)].map(([, message]) => message!);
  }
}

test('one that cannot stop to read: what is sent meanwhile waits, and keeps its order', async () => {
  const socket = new Unstoppable();
  const { say, log } = scene({ maxAppendsInFlight: 1 }, { socket });
  for (let ref = 0; ref < 3; ref += 1)
    say({ op: 'append', ref, events: [{ type: `T${ref}`, payload: 1 }] });
  for (let index = 0; index < 3; index += 1) await log.pending[index]!.resolve();
  expect(log.pending.map(({ types }) => types)).toEqual([['T0'], ['T1'], ['T2']]);
  expect(socket.closedWith).toBeUndefined();
});

test('one that cannot stop to read, and is sent more than is kept: told, and closed with 1013', async () => {
  const socket = new Unstoppable();
  const { say, log, session } = scene(
    { maxAppendsInFlight: 1, maxAppendBytesInFlight: 5_000 },
    { socket },
  );
  for (let ref = 0; ref < 1_000; ref += 1)
    say({ op: 'append', ref, events: [{ type: 'T', payload: 1 }] });
  expect(socket.told).toMatchObject([{ op: 'error', code: 'overloaded' }]);
  expect(socket.closedWith).toEqual({ code: 1013, reason: 'overloaded' });
  await log.pending[0]!.resolve();
  expect(log.pending).toHaveLength(1);
  session.closed();
});

test('many empty messages take room, too', () => {
  const socket = new Unstoppable();
  const { say, session } = scene(
    { maxAppendsInFlight: 1, maxAppendBytesInFlight: 5_000 },
    { socket },
  );
  say({ op: 'append', events: [{ type: 'T', payload: 1 }] });
  for (let count = 0; count < 100; count += 1) session.receive('');
  expect(socket.closedWith?.code).toBe(1013);
});

test('one that does not count: that less waits than before shows that its peer reads', () => {
  const socket = new Uncounted();
  const { session, context } = scene({}, { socket });
  const showsLife = (bytesWaiting: number): boolean => {
    session.seenAt = -1;
    socket.bytesWaiting = bytesWaiting;
    session.beat();
    return session.seenAt === context.heartbeat.now;
  };
  expect(showsLife(0)).toBe(false);
  expect(showsLife(1_000)).toBe(false);
  expect(showsLife(1_000)).toBe(false);
  expect(showsLife(900)).toBe(true);
  expect(showsLife(1_500)).toBe(false);
  expect(showsLife(0)).toBe(true);
  expect(showsLife(0)).toBe(false);
});

test('one that makes its frames by itself gets a large event whole', () => {
  const { live, socket } = scene();
  const { sink } = live.of(OWN);
  expect(sink.ready()).toBe(true);
  sink.batch(batchOf(1_000_000));
  expect(socket.delivered).toMatchObject([{ log: OWN, events: [{ id: '1-0' }] }]);
});

test('one that writes frames gets it in pieces, and nothing comes in between', async () => {
  const socket = new Framed();
  const { live, session } = scene({}, { socket });
  const { sink } = live.of(OWN);
  socket.room = false;
  expect(sink.ready()).toBe(true);
  sink.batch(batchOf(1_000_000));
  expect(socket.written).toHaveLength(1);
  expect(sink.ready()).toBe(false);
  sink.live(makeEventId(1, 0));
  expect(socket.sent).toEqual([]);
  session.drained();
  expect(socket.written).toHaveLength(2);
  expect(socket.messages).toEqual([]);
  socket.room = true;
  await eventually(() => {
    session.drained();
    return socket.messages.length === 2;
  });
  const [events, told] = socket.messages.map((message) => JSON.parse(message));
  expect(events.events[0].payload).toHaveLength(1_000_000);
  expect(told).toEqual({ op: 'live', log: OWN, at: '1-0' });
  expect(live.of(OWN).calls).toContain('drained');
});

test('one whose large event has to be read again is not taken for dead while the store is away', async () => {
  const socket = new Framed();
  const { live, session, context, say } = scene({}, { socket });
  let fail: (error: Error) => void = () => {};
  live.read = () =>
    new Promise((_, reject) => {
      fail = reject;
    });
  const { sink } = live.of(OWN);
  socket.room = false;
  sink.batch(batchOf(1_000_000));
  // The piece is out, its event let go, and another one is kept.
  await new Promise((resolve) => setTimeout(resolve, 5));
  context.large.keep(accountLog('2'), batchOf(2_000_000).events[0]!);
  session.drained();
  say({ op: 'ping' });
  expect(socket.isReading).toBe(false);
  session.seenAt = -1;
  session.expire();
  expect(socket.closedWith).toBeUndefined();
  expect(session.seenAt).toBe(context.heartbeat.now);
  fail(new Error('it is gone'));
  await eventually(() => socket.closedWith?.reason === 'event_gone');
});

test('small events of one that writes frames are made once for all sockets', () => {
  const one = new Framed();
  const other = Object.assign(new Framed(), { frames: undefined as never });
  Object.assign(other, {
    frames: { ...one.frames, write: (frame: string) => other.written.push(frame) },
  });
  const batch = batchOf(10);
  for (const socket of [one, other]) scene({}, { socket }).live.of(OWN).sink.batch(batch);
  expect(one.messages).toHaveLength(1);
  expect(other.written).toEqual(one.written);
});
