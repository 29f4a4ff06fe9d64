/**
 * A `ws` socket as a gateway socket. Frames go straight to the network stream: compression is off,
 * so `ws` keeps no queue of its own that they could overtake.
 *
 * There are tens of thousands of these: handlers are shared functions, not closures.
 */
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket } from 'ws';
import type { GatewaySocket, Reading, SocketFrames, SocketSession } from '../sockets/socket.ts';
import { NODE_FRAMING, textFrame } from './frame.ts';
import { Pongs } from './pongs.ts';
import { writeAtOnce, writeInTurn } from './writes.ts';

/**
 * Up to this many times the allowed size, a message is read and refused, and the socket stays
 * open; what is larger is not read at all, which only closing the connection can do.
 */
export const READ_ANYWAY = 4;

export class NodeSocket extends WebSocket implements GatewaySocket, SocketFrames<Buffer>, Reading {
  #stream: Duplex | undefined;
  #session: SocketSession | undefined;
  #maxFrameBytes = 0;
  #pongs: Pongs | undefined;

  /** Binds the socket to its stream and, through `accept`, to its session. */
  begin(
    stream: Duplex,
    maxFrameBytes: number,
    accept: (socket: NodeSocket) => SocketSession,
  ): void {
    this.#stream = stream;
    this.#maxFrameBytes = maxFrameBytes;
    this.on('message', onMessage);
    this.on('ping', onPing);
    this.on('pong', onPong);
    this.on('close', onClose);
    this.on('error', onError);
    const session = accept(this);
    this.#session = session;
    stream.on('drain', () => session.drained());
  }

  get session(): SocketSession | undefined {
    return this.#session;
  }

  // What it can do beside what every runtime can. `pause` and `resume` are those of `ws`.

  get reading(): Reading {
    return this;
  }

  // Node counts a write that is under way as one that waits until all of it is gone, which a slow
  // network makes minutes of; how far it has come only the handle of the stream tells.
  get bytesTaken(): number | undefined {
    const handle = (this.#stream as StreamWithHandle | undefined)?._handle;
    return handle == null ? undefined : handle.bytesWritten - handle.writeQueueSize;
  }

  get frames(): SocketFrames<Buffer> {
    return this;
  }

  get framing(): typeof NODE_FRAMING {
    return NODE_FRAMING;
  }

  get bytesWaiting(): number {
    return this.#stream?.writableLength ?? 0;
  }

  get isOpen(): boolean {
    return this.readyState === WebSocket.OPEN;
  }

  override send(message: string): void {
    if (this.isOpen) this.write(textFrame(message));
  }

  write(frame: Buffer): void {
    if (this.#stream !== undefined && this.isOpen) writeInTurn(this.#stream, frame);
  }

  writeAtOnce(frame: Buffer): boolean {
    return this.#stream !== undefined && writeAtOnce(this.#stream, frame);
  }

  // `ws` calls this with a code and no reason when what it reads breaks the protocol.
  override close(code?: number, reason?: string | Buffer): void {
    const isOurs = reason !== undefined || code === undefined;
    super.close(code, isOurs ? reason : this.#session?.fail(code));
  }

  /** Reads a message that arrived whole. */
  take(data: Buffer, isBinary: boolean): void {
    if (isBinary) this.#session?.refuse('binary_frame');
    else if (data.length > this.#maxFrameBytes) this.#session?.refuse('frame_too_large');
    else this.#session?.receive(data.toString());
  }

  /** Answers a ping. */
  answerPing(data: Buffer): void {
    this.#session?.seen();
    this.#pongs ??= new Pongs(this);
    this.#pongs.answer(data);
  }
}

/** What `net.Socket` looks at itself, to see whether a timeout was one. */
interface StreamWithHandle {
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null;
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
  (this as NodeSocket).session?.closed();
}

// The close that follows is what counts; without a listener the process would end.
function onError(): void {}
