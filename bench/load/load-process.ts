/** The load generator: a process that holds all client sockets, sends, receives and measures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { answerQuestions } from '../child.ts';
import { clientFrame, TEXT } from './frames.ts';
import { isEvents, MILLRACE_FORMAT } from './millrace-format.ts';
import {
  type Connect,
  type Question,
  type Replay,
  type Replayed,
  type Send,
  type Sent,
  WRITERS,
} from './questions.ts';
import { Receipts } from './receipts.ts';
import { LoadSocket, type Receiver } from './socket.ts';
import type { WireFormat } from './wire-format.ts';
import { WIRE_FORMATS } from './wire-formats.ts';
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
let format: WireFormat = MILLRACE_FORMAT;
let receipts: Receipts | undefined;
let lost = 0;
let firstLoss: string | undefined;

answerQuestions((question: Question) => {
  if (question.do === 'connect') return connect(question);
  if (question.do === 'send') return send(question);
  if (question.do === 'replay') return replay(question);
  return disconnect();
});

async function connect({ port, format: name, first, count }: Connect): Promise<void> {
  disconnect();
  format = WIRE_FORMATS[name];
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

/** A socket that follows its account's log from now on. */
async function openLive(port: number, account: string, from: string): Promise<LoadSocket> {
  const live = promiseToKeep();
  const timer = setTimeout(() => live.reject(new Error(`${account} is not live`)), LIVE_WITHIN_MS);
  let socket: LoadSocket | undefined;
  let isLive = false;
  const receiver: Receiver = {
    text(frame) {
      if (!isLive) {
        isLive = format.isLive(frame);
        if (isLive) live.resolve();
        return;
      }
      if (receipts !== undefined) format.take(frame, receipts, performance.now());
      const answer = format.answerTo(frame);
      if (answer !== undefined) socket?.write(clientFrame(TEXT, answer));
    },
    lost(reason) {
      lost++;
      firstLoss ??= reason;
      live.reject(new Error(`account ${account}: ${reason}`));
    },
  };
  socket = await LoadSocket.open(port, format.path(account), receiver, from);
  if (format.hello !== undefined) socket.write(clientFrame(TEXT, format.hello));
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
  const messageAt = (number: number) => format.append(number, accountAt(number));
  const writer = new PacedWriter(writers, messageAt, total);
  const current = new Receipts(writer.sentAt, Math.round(rate * warmUpSeconds));
  receipts = current;
  const took = await writer.run(rate, warmUpSeconds + seconds);
  const deadline = performance.now() + drainSeconds * 1000;
  while (!current.hasAll(writer.sent) && performance.now() < deadline) await sleep(20);
  receipts = undefined;
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

async function replay({ port, account }: Replay): Promise<Replayed> {
  const live = promiseToKeep();
  let events = 0;
  let bytes = 0;
  const receiver: Receiver = {
    text(frame) {
      bytes += frame.length;
      if (MILLRACE_FORMAT.isLive(frame)) live.resolve();
      else if (isEvents(frame)) events += countEvents(frame);
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
