/** The load generator: a process that holds all client sockets, sends, receives and measures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { answerQuestions } from '../child.ts';
import { Samples } from '../latency.ts';
import {
  type Connect,
  type Question,
  type Replay,
  type Replayed,
  type Send,
  type Sent,
  WRITERS,
} from './questions.ts';
import { LoadSocket, type Receiver } from './socket.ts';
import { PacedWriter } from './writer.ts';

/**
 * A gateway limits what comes from one client address. The load is to look like what it stands
 * for, many clients in many places, so it comes from many loopback addresses: one for each
 * writer, and one for every few hundred readers.
 */
const READERS_PER_ADDRESS = 500;
const CONNECTING_AT_ONCE = 100;
const LIVE_WITHIN_MS = 60_000;
/** A stride that shares no factor with the usual numbers of sockets: neighbours are not hit in turn. */
const STRIDE = 7_919;

interface Accounts {
  readonly first: number;
  readonly sockets: LoadSocket[];
}

let accounts: Accounts = { first: 0, sockets: [] };
let writers: LoadSocket[] = [];
let measurement: Measurement | undefined;
let lost = 0;
let firstLoss: string | undefined;

answerQuestions((question: Question) => {
  if (question.do === 'connect') return connect(question);
  if (question.do === 'send') return send(question);
  if (question.do === 'replay') return replay(question);
  return disconnect();
});

/** The operations of the wire format, told apart by the first two letters: `{"op":"ev…`. */
const OP_AT = '{"op":"'.length;
const opOf = (frame: Buffer) => (frame[OP_AT]! << 8) | frame[OP_AT + 1]!;
const opNamed = (name: string) => opOf(Buffer.from(`{"op":"${name}`));
const LIVE = opNamed('live');
const EVENTS = opNamed('events');
const APPENDED = opNamed('appended');
const ERROR = opNamed('error');

const EVENT_MARK = Buffer.from('"payload":{"n":');
const REF_MARK = Buffer.from('"ref":');

async function connect({ port, first, count }: Connect): Promise<void> {
  disconnect();
  const sockets: LoadSocket[] = new Array(count);
  let next = 0;
  const connectSome = async () => {
    while (next < count) {
      const index = next++;
      const network = Math.floor(index / READERS_PER_ADDRESS);
      sockets[index] = await openLive(port, `${first + index}`, `127.0.2.${network + 1}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));
  writers = await Promise.all(
    Array.from({ length: WRITERS }, (_, index) =>
      openLive(port, `writer-${index}`, `127.0.1.${index + 1}`),
    ),
  );
  accounts = { first, sockets };
}

/** A socket that has caught up with its account's log, which it follows from now on. */
async function openLive(port: number, account: string, from: string): Promise<LoadSocket> {
  const live = promiseToKeep();
  const timer = setTimeout(() => live.reject(new Error(`${account} is not live`)), LIVE_WITHIN_MS);
  const receiver: Receiver = {
    text(frame) {
      const op = opOf(frame);
      if (op === LIVE) live.resolve();
      else measurement?.take(op, frame);
    },
    lost(reason) {
      lost++;
      firstLoss ??= reason;
      live.reject(new Error(`account ${account}: ${reason}`));
    },
  };
  const path = `/ws/${account}?format=json&after=now`;
  const socket = await LoadSocket.open(port, path, receiver, from);
  await live.promise;
  clearTimeout(timer);
  return socket;
}

function disconnect(): void {
  for (const socket of [...accounts.sockets, ...writers]) socket.close();
  accounts = { first: 0, sockets: [] };
  writers = [];
  lost = 0;
  firstLoss = undefined;
}

async function send({ rate, seconds, warmUpSeconds, drainSeconds }: Send): Promise<Sent> {
  const total = Math.round(rate * (warmUpSeconds + seconds));
  const { first, sockets } = accounts;
  const accountAt = (number: number) => first + ((number * STRIDE) % sockets.length);
  const writer = new PacedWriter(writers, accountAt, total);
  const current = new Measurement(writer.sentAt, Math.round(rate * warmUpSeconds));
  measurement = current;
  const took = await writer.run(rate, warmUpSeconds + seconds);
  const deadline = performance.now() + drainSeconds * 1000;
  while (!current.hasAll(writer.sent) && performance.now() < deadline) await sleep(20);
  measurement = undefined;
  return {
    sent: writer.sent,
    rate: writer.sent / took,
    acknowledged: current.acknowledged,
    received: current.received,
    doubled: current.doubled,
    failures: current.refused + lost,
    firstFailure: current.firstRefusal ?? firstLoss,
    delivery: current.delivery.percentiles(),
    acknowledgement: current.acknowledgement.percentiles(),
    loadLag: writer.lag.percentiles(),
  };
}

/** What arrives during one run. */
class Measurement {
  readonly delivery = new Samples();
  readonly acknowledgement = new Samples();
  received = 0;
  acknowledged = 0;
  doubled = 0;
  refused = 0;
  firstRefusal: string | undefined;
  readonly #sentAt: Float64Array;
  readonly #warmUp: number;
  readonly #seen: Uint8Array;

  constructor(sentAt: Float64Array, warmUp: number) {
    this.#sentAt = sentAt;
    this.#warmUp = warmUp;
    this.#seen = new Uint8Array(sentAt.length);
  }

  hasAll(sent: number): boolean {
    return this.received >= sent && this.acknowledged + this.refused >= sent;
  }

  take(op: number, frame: Buffer): void {
    const now = performance.now();
    if (op === EVENTS) this.#takeEvents(frame, now);
    else if (op === APPENDED) this.#takeAcknowledgement(frame, now);
    else if (op === ERROR) {
      this.refused++;
      this.firstRefusal ??= frame.toString();
    }
  }

  #takeEvents(frame: Buffer, now: number): void {
    let at = frame.indexOf(EVENT_MARK);
    while (at !== -1) {
      this.#takeEvent(numberAt(frame, at + EVENT_MARK.length), now);
      at = frame.indexOf(EVENT_MARK, at + EVENT_MARK.length);
    }
  }

  #takeEvent(number: number, now: number): void {
    if (this.#seen[number] === 1) {
      this.doubled++;
      return;
    }
    this.#seen[number] = 1;
    this.received++;
    if (number >= this.#warmUp) this.delivery.add(now - this.#sentAt[number]!);
  }

  #takeAcknowledgement(frame: Buffer, now: number): void {
    const number = numberAt(frame, frame.indexOf(REF_MARK) + REF_MARK.length);
    this.acknowledged++;
    if (number >= this.#warmUp) this.acknowledgement.add(now - this.#sentAt[number]!);
  }
}

/** The decimals that begin at `at`. No string is made: this process must cost less than what it measures. */
function numberAt(frame: Buffer, at: number): number {
  let number = 0;
  for (let code = frame[at]! - 48; code >= 0 && code <= 9; code = frame[++at]! - 48) {
    number = number * 10 + code;
  }
  return number;
}

async function replay({ port, account }: Replay): Promise<Replayed> {
  const live = promiseToKeep();
  let events = 0;
  let bytes = 0;
  const receiver: Receiver = {
    text(frame) {
      bytes += frame.length;
      const op = opOf(frame);
      if (op === LIVE) live.resolve();
      else if (op === EVENTS) events += countEvents(frame);
    },
    lost: (reason) => live.reject(new Error(reason)),
  };
  const startedAt = performance.now();
  const socket = await LoadSocket.open(port, `/ws/${account}?format=json&after=0-0`, receiver);
  await live.promise;
  const seconds = (performance.now() - startedAt) / 1000;
  socket.close();
  return { events, bytes, seconds };
}

/** `Promise.withResolvers`, which Node 20 does not have yet. */
function promiseToKeep() {
  let resolve = () => {};
  let reject = (_error: Error) => {};
  const promise = new Promise<void>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

function countEvents(frame: Buffer): number {
  let count = 0;
  for (let at = frame.indexOf('"id":"'); at !== -1; at = frame.indexOf('"id":"', at + 6)) count++;
  return count;
}
