/** One client of a gateway, on a bare TCP socket. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { CLOSE, clientFrame, FrameReader, PING, PONG, TEXT } from './frames.ts';

/** What a client does with what it gets. `text` is valid only during the call. */
export interface Receiver {
  text(frame: Buffer): void;
  /** The connection ended, though nobody here ended it. */
  lost(reason: string): void;
}

const HANDSHAKE_WITHIN_MS = 60_000;

/** All sockets read into the same bytes: what came is dealt with before anything else is read. */
const shared = Buffer.alloc(65_536);

export class LoadSocket {
  readonly #socket: Socket;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Connects and upgrades; frames may come before this resolves.
   * @param from the address to connect from, any of 127.0.0.0/8
   */
  static async open(
    port: number,
    path: string,
    receiver: Receiver,
    from = '127.0.0.1',
  ): Promise<LoadSocket> {
    let onBytes = (_bytes: Buffer) => {};
    const socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: from,
      noDelay: true,
      onread: {
        buffer: shared,
        callback(length) {
          onBytes(shared.subarray(0, length));
          return true;
        },
      },
    });
    const client = new LoadSocket(socket);
    const frames = new FrameReader();
    const onFrame = (opcode: number, payload: Buffer) => {
      if (opcode === TEXT) receiver.text(payload);
      else if (opcode === PING) client.write(clientFrame(PONG, payload));
      else if (opcode === CLOSE)
        end(`closed with ${payload.length > 1 ? payload.readUInt16BE(0) : 1005}`);
    };
    const end = (reason: string) => {
      if (client.#ended) return;
      client.close();
      receiver.lost(reason);
    };
    await new Promise<void>((resolve, reject) => {
      let head = '';
      const timer = setTimeout(() => refuse('no answer to the upgrade'), HANDSHAKE_WITHIN_MS);
      const refuse = (reason: string) => {
        clearTimeout(timer);
        client.close();
        reject(new Error(`${path}: ${reason}`));
      };
      socket.once('error', (error) => refuse(error.message));
      socket.on('connect', () => socket.write(upgradeRequest(port, path)));
      onBytes = (chunk) => {
        head += chunk.toString('latin1');
        const bodyAt = head.indexOf('\r\n\r\n') + 4;
        if (bodyAt === 3) return;
        if (!head.startsWith('HTTP/1.1 101')) return refuse(head.split('\r\n')[0] ?? head);
        clearTimeout(timer);
        socket.removeAllListeners('error');
        onBytes = (bytes) => frames.read(bytes, onFrame);
        socket.on('error', (error) => end(error.message));
        socket.on('close', () => end('connection ended'));
        if (bodyAt < head.length) frames.read(Buffer.from(head.slice(bodyAt), 'latin1'), onFrame);
        resolve();
      };
    });
    return client;
  }

  write(bytes: Buffer): void {
    if (!this.#ended) this.#socket.write(bytes);
  }

  /** Cuts the connection, without leaving a TIME_WAIT behind that would use up the port. */
  close(): void {
    this.#ended = true;
    this.#socket.resetAndDestroy();
  }
}

function upgradeRequest(port: number, path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');
}
