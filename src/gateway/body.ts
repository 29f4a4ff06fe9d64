/** Reads request bodies within bounds: one body's, and one for all bodies in memory together. */
import { MillraceError } from '../event/error.ts';
import { protocolError } from '../protocol/problem.ts';
import type { GatewayLimits } from './limits.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Counts the bytes of all large bodies that are being read or worked on. */
export class BodyReader {
  readonly #limits: GatewayLimits;
  #inMemory = 0;

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  /**
   * Reads a body and hands its text to `work`; the body counts until that has ended.
   * @throws MillraceError `body_too_large`, `overloaded`, `invalid_utf8`
   */
  async withText<Result>(
    request: Request,
    work: (text: string) => Promise<Result>,
  ): Promise<Result> {
    let counted = 0;
    const count = (bytes: number): void => {
      counted += bytes;
      this.#inMemory += bytes;
      if (counted > this.#limits.maxBodyBytes) throw this.#tooLarge();
      if (this.#inMemory > this.#limits.maxBodyBytesTogether) throw overloaded();
    };
    try {
      return await work(decode(await this.#read(request, count).catch(incomplete)));
    } finally {
      this.#inMemory -= counted;
    }
  }

  /** Counts what has come, not what was announced: announcing costs a client nothing. */
  async #read(request: Request, count: (bytes: number) => void): Promise<Uint8Array> {
    const length = Number(request.headers.get('content-length') ?? Number.NaN);
    if (length > this.#limits.maxBodyBytes) throw this.#tooLarge();
    // What a socket would take as one message is read the fast way and not counted.
    if (length <= this.#limits.maxFrameBytes) return new Uint8Array(await request.arrayBuffer());
    const chunks: Uint8Array[] = [];
    if (request.body !== null) {
      for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
        count(chunk.length);
        chunks.push(chunk);
      }
    }
    return joined(chunks);
  }

  #tooLarge(): MillraceError {
    const { maxBodyBytes } = this.#limits;
    return protocolError('body_too_large', `the body must be at most ${maxBodyBytes} bytes`);
  }
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

function overloaded(): MillraceError {
  return protocolError(
    'overloaded',
    'the gateway holds as many request bodies as it may; try again',
  );
}
