/** The payload of the load's events, which carries their number, and how that is found again. */

const NUMBER_MARK = Buffer.from('"payload":{"n":');

/** Type and payload as members of a JSON object. */
export function typeAndPayload(number: number, account: number): string {
  return `"type":"SOME_EVENT","payload":{"n":${number},"text":"Some payload for account(${account}) from account(1)"}`;
}

/** Calls back with the number of each event in a frame. */
export function eachNumber(frame: Buffer, found: (number: number) => void): void {
  let at = frame.indexOf(NUMBER_MARK);
  while (at !== -1) {
    at += NUMBER_MARK.length;
    found(decimalAt(frame, at));
    at = frame.indexOf(NUMBER_MARK, at);
  }
}

/** The decimals that begin at `at`. */
export function decimalAt(frame: Buffer, at: number): number {
  let number = 0;
  for (let code = frame[at]! - 48; code >= 0 && code <= 9; code = frame[++at]! - 48) {
    number = number * 10 + code;
  }
  return number;
}
