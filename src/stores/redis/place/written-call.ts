/**
 * Calls of the append script, written as bytes at once: the one place that goes past ioredis.
 *
 * ioredis makes some ten strings of each argument on the way to the network; at a hundred arguments
 * a call and hundreds of calls a second, those are a third of all garbage of a gateway. Of 64 events
 * whose payloads are bytes, a call takes 36 µs here and 116 µs there; where all is text, as in every
 * other call, there is no time to be gained, and these go through `callScript`.
 */
import { Command, type Redis } from 'ioredis';
import type { Script } from './scripts.ts';

/** Up to this length, writing characters one by one is faster than asking for it. */
const SHORT_TEXT = 64;
/** The largest number of arguments, and the longest of them, fit in so many digits. */
const LENGTH_BYTES = 14;
const FIRST_SIZE = 16_384;
/** What a large call needed is not kept. */
const LARGEST_KEPT = 1_048_576;

const DOLLAR = 0x24;
const DIGIT_0 = 0x30;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const FIRST_BEYOND_ASCII = 0x80;

/**
 * A command that is already what goes to the network. The client is told of its keys, and not of
 * what comes after these.
 */
class WrittenCommand extends Command {
  readonly #bytes: Buffer;

  constructor({ digest }: Script, keys: readonly string[], bytes: Buffer) {
    super('evalsha', [digest, keys.length, ...keys], { replyEncoding: 'utf8' });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

/** Writes one call after the other: {@link begin}, each argument after the keys, {@link send}. */
export class CallWriter {
  readonly #redis: Pick<Redis, 'sendCommand'>;
  #script: Script | undefined;
  #keys: readonly string[] = [];
  #buffer = Buffer.allocUnsafe(FIRST_SIZE);
  #length = 0;

  constructor(redis: Pick<Redis, 'sendCommand'>) {
    this.#redis = redis;
  }

  /** @param values how many arguments come after the keys */
  begin(script: Script, keys: readonly string[], values: number): void {
    this.#script = script;
    this.#keys = keys;
    this.#length = this.#buffer.write(`*${3 + keys.length + values}\r\n`, 'latin1');
    this.text('EVALSHA');
    this.text(script.digest);
    this.text(String(keys.length));
    for (const key of keys) this.text(key);
  }

  text(value: string): void {
    // A character takes at most three bytes.
    this.#reserve(value.length * 3);
    if (value.length <= SHORT_TEXT && this.#writeAscii(value)) return;
    const length = Buffer.byteLength(value);
    this.#writeLength(length);
    this.#buffer.write(value, this.#length, length === value.length ? 'latin1' : 'utf8');
    this.#length += length;
    this.#endLine();
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#writeLength(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    this.#endLine();
  }

  /** Answers with what the script does, as text. Fails as commands do. */
  send(): Promise<unknown> {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#length));
    if (this.#buffer.length > LARGEST_KEPT) this.#buffer = Buffer.allocUnsafe(FIRST_SIZE);
    const command = new WrittenCommand(this.#script!, this.#keys, bytes);
    return this.#redis.sendCommand(command) as Promise<unknown>;
  }

  /** Answers whether it was all ASCII; if not, nothing is written. */
  #writeAscii(value: string): boolean {
    const start = this.#length;
    this.#writeLength(value.length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code >= FIRST_BEYOND_ASCII) {
        this.#length = start;
        return false;
      }
      buffer[at++] = code;
    }
    this.#length = at;
    this.#endLine();
    return true;
  }

  #writeLength(length: number): void {
    this.#buffer[this.#length++] = DOLLAR;
    let scale = 1;
    while (scale * 10 <= length) scale *= 10;
    for (let rest = length; scale >= 1; scale /= 10) {
      const digit = Math.floor(rest / scale);
      this.#buffer[this.#length++] = DIGIT_0 + digit;
      rest -= digit * scale;
    }
    this.#endLine();
  }

  #endLine(): void {
    this.#buffer[this.#length++] = CARRIAGE_RETURN;
    this.#buffer[this.#length++] = LINE_FEED;
  }

  /** Makes room for an argument of so many bytes. */
  #reserve(bytes: number): void {
    const needed = this.#length + bytes + LENGTH_BYTES;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
