/**
 * A `ws` socket as a gateway socket. Frames go straight to the network stream: compression is off,
 * so `ws` keeps no queue of its own that they could overtake.
 *
 * There are tens of thousands of these: handlers are shared functions, not closures.
 */
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket } from 'ws';
import type { MillraceError } from '../../event/error.ts';
import type { Batch, FrameEncoder } from '../../live/batch.ts';
import type { KnownCode } from '../../protocol/error-codes.ts';
import { protocolError } from '../../protocol/problem.ts';
import { hasMoreValues } from '../../protocol/value-count.ts';
import type { WireFormat } from '../../protocol/wire-format.ts';
import { tooManyValues } from '../http/body.ts';
import { InPieces, isLarge } from '../in-pieces.ts';
import type { LargeEvents } from '../large-events.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import type { GatewaySocket, SocketSession } from '../sockets/socket.ts';
import { frameEncoder, pieceFormat, textFrame } from './frame.ts';
import { writeAtOnce, writeInTurn } from './writes.ts';

/**
 * Up to this many times the allowed size, a message is read and refused, and the socket stays
 * open; what is larger is not read at all, which only closing the connection can do.
 */
export const READ_ANYWAY = 4;

/** What is longer than this on the wire goes in pieces. A batch is 64 Ki characters as stored: of most languages less than that, of control characters more. */
const AT_ONCE = 262_144;

/** Events that go in pieces. */
interface Underway {
  /** Messages that came meanwhile. */
  readonly behind: string[];
  /** Waits for the stream to drain. */
  room: (() => void) | undefined;
}

type SocketLimits = Pick<GatewayLimits, 'maxFrameBytes' | 'maxValues'>;

export class NodeSocket extends WebSocket implements GatewaySocket {
  #stream: Duplex | undefined;
  #session: SocketSession | undefined;
  #format: WireFormat | undefined;
  #encoder: FrameEncoder<Buffer> | undefined;
  /** There while events go in pieces. */
  #underway: Underway | undefined;
  #limits: SocketLimits | undefined;
  /** Whether a pong waits to be sent, and what the next one is to carry. */
  #pong: { readonly sent: () => void; next: Buffer | undefined; waiting: boolean } | undefined;

  /** Binds the socket to its stream and, through `accept`, to its session. */
  begin(
    stream: Duplex,
    format: WireFormat,
    limits: SocketLimits,
    accept: (socket: NodeSocket) => SocketSession,
  ): void {
    this.#stream = stream;
    this.#format = format;
    this.#encoder = frameEncoder(format);
    this.#limits = limits;
    this.on('message', onMessage);
    this.on('ping', onPing);
    this.on('pong', onPong);
    this.on('close', onClose);
    this.on('error', onError);
    const session = accept(this);
    this.#session = session;
    stream.on('drain', () => {
      if (this.#underway === undefined) session.drained();
      else this.#underway.room?.();
    });
  }

  get session(): SocketSession | undefined {
    return this.#session;
  }

  get bytesWaiting(): number {
    return this.#stream?.writableLength ?? 0;
  }

  // Node counts a write that is under way as one that waits until all of it is gone, which a slow
  // network makes minutes of; how far it has come only the handle of the stream tells.
  get bytesTaken(): number {
    const handle = (this.#stream as StreamWithHandle | undefined)?._handle;
    return handle == null ? 0 : handle.bytesWritten - handle.writeQueueSize;
  }

  override send(message: string): void {
    const stream = this.#stream;
    if (stream === undefined || this.readyState !== WebSocket.OPEN) return;
    // Only control frames may come between the fragments of a message.
    if (this.#underway !== undefined) this.#underway.behind.push(message);
    else writeInTurn(stream, textFrame(message));
  }

  get isBusy(): boolean {
    return this.#underway !== undefined;
  }

  deliver(batch: Batch, large: LargeEvents): void {
    const stream = this.#stream;
    const format = this.#format;
    const encoder = this.#encoder;
    if (stream === undefined || format === undefined || encoder === undefined) return;
    if (this.readyState !== WebSocket.OPEN) return;
    if (!isLarge(batch)) {
      const frame = batch.encoded(encoder);
      if (frame.length <= AT_ONCE) {
        writeInTurn(stream, frame);
        return;
      }
    }
    const isOpen = () => this.readyState === WebSocket.OPEN;
    void this.#sendInPieces(stream, new InPieces(batch, pieceFormat(format), large, isOpen));
  }

  /** To a client that takes them as fast as they come, all go in this turn. */
  async #sendInPieces(stream: Duplex, pieces: InPieces<Buffer>): Promise<void> {
    const underway: Underway = { behind: [], room: undefined };
    this.#underway = underway;
    let waited = false;
    try {
      while (this.readyState === WebSocket.OPEN) {
        const next = pieces.next();
        waited ||= next instanceof Promise;
        const frame = next instanceof Promise ? await next : next;
        if (frame === undefined || this.readyState !== WebSocket.OPEN) break;
        if (writeAtOnce(stream, frame)) continue;
        waited = true;
        pieces.letGo();
        await new Promise<void>((resolve) => {
          underway.room = resolve;
        });
      }
    } catch {
      // Half a message cannot be taken back. Whoever comes again is told what became of the event.
      super.close(1011, 'event_gone');
    }
    this.#underway = undefined;
    for (const message of underway.behind) this.send(message);
    if (waited) this.#session?.drained();
  }

  /** What waits for room waits no more. */
  letGo(): void {
    this.#underway?.room?.();
  }

  // `ws` calls this with a code and no reason when what it reads breaks the protocol.
  override close(code?: number, reason?: string | Buffer): void {
    if (reason !== undefined || code === undefined) {
      super.close(code, reason);
      return;
    }
    const error = this.#brokenBy(code);
    this.#session?.fail(error);
    super.close(code, error.code);
  }

  /** Reads a message that arrived whole. */
  take(data: Buffer, isBinary: boolean): void {
    const { maxFrameBytes = 0, maxValues = 0 } = this.#limits ?? {};
    if (isBinary) this.#session?.refuse(binaryFrame());
    else if (data.length > maxFrameBytes) this.#session?.refuse(this.#tooLarge());
    else if (hasMoreValues(data, maxValues)) {
      this.#session?.refuse(tooManyValues('a message', maxValues));
    } else this.#session?.receive(data.toString());
  }

  /** Answers a ping; of several that come while an answer waits, the last one (RFC 6455 section 5.5.3). */
  answerPing(data: Buffer): void {
    this.#session?.seen();
    if (this.readyState !== WebSocket.OPEN) return;
    this.#pong ??= { sent: () => this.#pongSent(), next: undefined, waiting: false };
    if (this.#pong.waiting) {
      this.#pong.next = Buffer.from(data);
      return;
    }
    this.#pong.waiting = true;
    this.pong(data, false, this.#pong.sent);
  }

  #pongSent(): void {
    const pong = this.#pong;
    if (pong === undefined) return;
    const { next } = pong;
    pong.waiting = false;
    pong.next = undefined;
    if (next !== undefined) this.answerPing(next);
  }

  #brokenBy(code: number): MillraceError {
    if (code === 1009) return this.#tooLarge();
    const [known, message] = BROKEN[code] ?? BROKEN_FRAME;
    return protocolError(known, message);
  }

  #tooLarge(): MillraceError {
    return protocolError(
      'frame_too_large',
      `a message must be at most ${this.#limits?.maxFrameBytes} bytes; append larger events over HTTP`,
    );
  }
}

/** What `net.Socket` looks at itself, to see whether a timeout was one. */
interface StreamWithHandle {
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null;
}

const BROKEN_FRAME = ['invalid_frame', 'the bytes break the WebSocket protocol'] as const;
const BROKEN: Record<number, readonly [KnownCode, string]> = {
  1007: ['invalid_utf8', 'text messages must be valid UTF-8'],
  1008: ['invalid_frame', 'the message comes in too many pieces'],
};

function binaryFrame(): MillraceError {
  return protocolError('binary_frame', 'binary messages are not spoken here; send text');
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  (this as NodeSocket).take(data as Buffer, isBinary);
}

function onPing(this: WebSocket, data: Buffer): void {
  (this as NodeSocket).answerPing(data);
}

function onPong(this: WebSocket): void {
  (this as NodeSocket).session?.seen();
}

function onClose(this: WebSocket): void {
  (this as NodeSocket).letGo();
  (this as NodeSocket).session?.closed();
}

// The close that follows is what counts; without a listener the process would end.
function onError(): void {}
