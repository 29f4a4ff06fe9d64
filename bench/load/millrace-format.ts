/**
 * Millrace's JSON wire format (`docs/protocol.md`), which the baselines speak too. Not read with
 * `src/protocol/`, which makes strings and objects of every frame: a test holds the two together.
 */
import { decimalAt, eachNumber, typeAndPayload } from './payload.ts';
import type { WireFormat } from './wire-format.ts';

/** The operations are told apart by the first two letters: `{"op":"ev…`. */
const OP_AT = '{"op":"'.length;
const opOf = (frame: Buffer) => (frame[OP_AT]! << 8) | frame[OP_AT + 1]!;
const opNamed = (name: string) => opOf(Buffer.from(`{"op":"${name}`));
const LIVE = opNamed('live');
const EVENTS = opNamed('events');
const APPENDED = opNamed('appended');
const ERROR = opNamed('error');

const REF_MARK = Buffer.from('"ref":');

export const MILLRACE_FORMAT: WireFormat = {
  path: (account) => `/ws/${account}?format=json&after=now`,
  hello: undefined,
  isLive: (frame) => opOf(frame) === LIVE,
  answerTo: () => undefined,
  append(number, account) {
    return `{"op":"append","ref":${number},"log":"account:${account}","events":[{${typeAndPayload(number, account)}}]}`;
  },
  take(frame, receipts, now) {
    const op = opOf(frame);
    if (op === EVENTS) eachNumber(frame, (number) => receipts.event(number, now));
    else if (op === APPENDED) {
      receipts.acknowledgementOf(decimalAt(frame, frame.indexOf(REF_MARK) + REF_MARK.length), now);
    } else if (op === ERROR) receipts.refusal(frame.toString());
  },
};

export function isEvents(frame: Buffer): boolean {
  return opOf(frame) === EVENTS;
}
