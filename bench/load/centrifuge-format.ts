/**
 * The JSON protocol of Centrifuge (https://centrifugal.dev/docs/transports/client_protocol). A
 * frame holds one reply a line; a reply has the ID of its command, or is a push.
 */
import { decimalAt, eachNumber, typeAndPayload } from './payload.ts';
import type { WireFormat } from './wire-format.ts';

/** IDs begin at 1, and `connect` has that one. */
const FIRST_ID = 2;
const LINE_FEED = 0x0a;
const PONG = '{}';
const ID_MARK = Buffer.from('{"id":');
const PUSH_MARK = Buffer.from('{"push":');
const ACKNOWLEDGED = Buffer.from(',"publish":');
const CONNECTED = Buffer.from('"connect":');
const RECOVERABLE = Buffer.from('"recoverable":true');

export const CENTRIFUGE_FORMAT: WireFormat = {
  path: (account) => `/ws/${account}`,
  hello: '{"id":1,"connect":{}}',
  // The reply lists the subscriptions that the server has made for the client.
  isLive: (frame) => frame.includes(CONNECTED) && frame.includes(RECOVERABLE),
  answerTo(frame) {
    let pinged = false;
    eachLine(frame, (line) => {
      if (isPing(line)) pinged = true;
    });
    return pinged ? PONG : undefined;
  },
  append(number, account) {
    return `{"id":${number + FIRST_ID},"publish":{"channel":"account:${account}","data":{${typeAndPayload(number, account)}}}}`;
  },
  take(frame, receipts, now) {
    eachLine(frame, (line) => {
      if (startsWith(line, PUSH_MARK)) eachNumber(line, (number) => receipts.event(number, now));
      else if (startsWith(line, ID_MARK) && line.includes(ACKNOWLEDGED)) {
        receipts.acknowledgementOf(decimalAt(line, ID_MARK.length) - FIRST_ID, now);
      } else if (!isPing(line)) receipts.refusal(line.toString());
    });
  },
};

function eachLine(frame: Buffer, visit: (line: Buffer) => void): void {
  for (let start = 0; start < frame.length; ) {
    const feed = frame.indexOf(LINE_FEED, start);
    const end = feed === -1 ? frame.length : feed;
    visit(frame.subarray(start, end));
    start = end + 1;
  }
}

/** Centrifuge's own ping is an empty reply, which comes alone or among others. */
function isPing(line: Buffer): boolean {
  return line.length === 2 && line[0] === 0x7b && line[1] === 0x7d;
}

function startsWith(bytes: Buffer, mark: Buffer): boolean {
  if (bytes.length < mark.length) return false;
  for (let i = 0; i < mark.length; i++) if (bytes[i] !== mark[i]) return false;
  return true;
}
