/**
 * How many values a JSON text holds, found out without making them: of bytes that are parsed in no
 * time there can be a hundred times as many objects. Every comma, `[` and `{` outside of strings
 * counts as one more, so it is never less than what there is, whether or not it is JSON at all.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** So much of a string is looked at byte by byte; what is longer is searched for its end. */
const SHORT = 64;

export class ValueCount {
  /** As far as it has been looked. */
  values = 1;
  readonly #bytes: Uint8Array;
  #at = 0;
  #inString = false;

  /** @param bytes JSON text in UTF-8 */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Looks at about so many bytes more, until there are more than `most` values; answers whether there is more to look at. */
  look(count: number, most: number): boolean {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + count);
    while (this.#at < end) {
      if (this.#inString) {
        this.#leaveString();
        continue;
      }
      const byte = bytes[this.#at];
      this.#at += 1;
      if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === COMMA || byte === OPEN_BRACKET || byte === OPEN_BRACE) {
        this.values += 1;
        if (this.values > most) return false;
      }
    }
    return this.#at < bytes.length;
  }

  /** Goes to the end of a string, or at least a good part of the way. */
  #leaveString(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    const near = Math.min(bytes.length, at + SHORT);
    while (at < near) {
      const byte = bytes[at];
      at += byte === BACKSLASH ? 2 : 1;
      if (byte !== QUOTE) continue;
      this.#inString = false;
      this.#at = at;
      return;
    }
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) {
      this.#at = bytes.length;
      return;
    }
    let first = quote;
    while (first > at && bytes[first - 1] === BACKSLASH) first -= 1;
    // An odd number of backslashes escapes it.
    this.#inString = (quote - first) % 2 === 1;
    this.#at = quote + 1;
  }
}

/** Whether there are more than `most` values, all looked at in one go: about a millisecond a megabyte. */
export function hasMoreValues(bytes: Uint8Array, most: number): boolean {
  // It cannot have more values than bytes.
  if (bytes.length <= most) return false;
  const count = new ValueCount(bytes);
  count.look(bytes.length, most);
  return count.values > most;
}
