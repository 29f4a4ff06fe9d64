/** A TCP connection by hand, for bytes that no client library sends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Failure, readProblem } from '../../src/protocol/problem.ts';

export const UPGRADE_HEADERS = [
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

export class RawClient {
  readonly socket: Socket;
  received = '';
  readonly closed: Promise<string>;
  #ended = false;

  /** @param localAddress where it is from, for a client of its own */
  constructor(port: number, localAddress?: string) {
    this.socket = connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#ended = true;
        resolve(this.received);
      });
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The status of the first response; undefined as long as there is none. */
  get status(): number | undefined {
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(this.received)?.[1];
    return status === undefined ? undefined : Number(status);
  }

  /** The problem in the first response. */
  get problem(): Failure {
    const start = this.received.indexOf('\r\n\r\n');
    return readProblem(this.received.slice(start + 4));
  }

  async connected(): Promise<this> {
    if (this.socket.connecting) await once(this.socket, 'connect');
    return this;
  }

  write(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  head(line: string, headers: readonly string[] = ['Host: localhost']): this {
    return this.write(`${[line, ...headers].join('\r\n')}\r\n\r\n`);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A client frame whose mask is zero; `length` may lie about the payload. */
export function clientFrame(
  opcode: number,
  payload: Buffer,
  { final = true, reserved = 0, length = payload.length } = {},
): Buffer {
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const head = Buffer.alloc(size + 4);
  head[0] = (final ? 0x80 : 0) | reserved | opcode;
  head[1] = 0x80 | (size === 2 ? length : size === 4 ? 126 : 127);
  if (size === 4) head.writeUInt16BE(length, 2);
  if (size === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}
