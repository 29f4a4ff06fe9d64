/**
 * Reads request bodies within bounds: one body's, and one for all bodies in memory together. How
 * much it takes to parse one is known before it is begun: see `value-count.ts`.
 */
import { MillraceError } from '../../event/error.ts';
import { protocolError } from '../../protocol/problem.ts';
import { ValueCount } from '../../protocol/value-count.ts';
import type { InMemory } from '../limits/in-memory.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import { type LoopTurns, TAKES_TIME } from '../limits/loop-turns.ts';
import { tooManyValues } from '../limits/values.ts';

/** So many times its text takes what a text can be parsed into, for work that keeps it while the store works. */
export const KEPT_PARSED = 10;
/** So many bytes are counted in one turn of the event loop: about a millisecond. */
const COUNTED_AT_ONCE = 1_048_576;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

export class BodyReader {
  readonly #limits: GatewayLimits;
  readonly #inMemory: InMemory;
  readonly #turns: LoopTurns;

  constructor(limits: GatewayLimits, inMemory: InMemory, turns: LoopTurns) {
    this.#limits = limits;
    this.#inMemory = inMemory;
    this.#turns = turns;
  }

  /**
   * Reads a body and hands its text to `work`, which parses it at once; the body counts until that
   * has ended.
   * @param times how many times it counts: {@link KEPT_PARSED} where `work` keeps what it parsed
   * @throws MillraceError `body_too_large`, `too_many_values`, `overloaded`, `invalid_utf8`
   */
  async withText<Result>(
    request: Request,
    work: (text: string) => Promise<Result>,
    times = 1,
  ): Promise<Result> {
    const { maxBodyBytes, maxBodyBytesTogether } = this.#limits;
    // What there would never be room for is not told to try again.
    const most = Math.min(maxBodyBytes, Math.floor(maxBodyBytesTogether / times));
    let counted = 0;
    const count = (bytes: number): void => {
      if (counted + bytes > most) throw tooLarge(most);
      this.#inMemory.take(bytes * times);
      counted += bytes;
    };
    try {
      const bytes = await this.#read(request, most, count).catch(incomplete);
      await this.#checkValues(bytes);
      if (bytes.length <= TAKES_TIME) return await work(decode(bytes));
      return await this.#turns.run(() => work(decode(bytes)));
    } finally {
      this.#inMemory.giveBack(counted * times);
    }
  }

  /** Counts what has come, not what was announced: announcing costs a client nothing. */
  async #read(request: Request, most: number, count: (bytes: number) => void): Promise<Uint8Array> {
    const length = Number(request.headers.get('content-length') ?? Number.NaN);
    if (length > most) throw tooLarge(most);
    // What a socket would take as one message is read the fast way, and counted when it is there.
    if (length <= this.#limits.maxFrameBytes) {
      const bytes = new Uint8Array(await request.arrayBuffer());
      count(bytes.length);
      return bytes;
    }
    const chunks: Uint8Array[] = [];
    if (request.body !== null) {
      for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
        count(chunk.length);
        chunks.push(chunk);
      }
    }
    return joined(chunks);
  }

  /** A text has no more values than bytes, so most are not even looked at. */
  async #checkValues(bytes: Uint8Array): Promise<void> {
    const { maxValues } = this.#limits;
    if (bytes.length <= maxValues) return;
    const count = new ValueCount(bytes);
    while (count.look(COUNTED_AT_ONCE, maxValues)) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (count.values > maxValues) throw tooManyValues('the body', maxValues);
  }
}

function tooLarge(most: number): MillraceError {
  return protocolError('body_too_large', `the body must be at most ${most} bytes`);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new MillraceError('invalid_utf8', 'the body must be UTF-8', { cause });
  }
}

/** What is not our refusal is a client that went away or took too long. */
function incomplete(cause: unknown): never {
  if (cause instanceof MillraceError) throw cause;
  throw new MillraceError('body_incomplete', 'the body must come whole', { cause });
}
