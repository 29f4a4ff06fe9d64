/** Writes a response to a connection that no HTTP response object belongs to, and ends it. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a peer may take to take the answer and to close its side, in milliseconds. */
const PATIENCE = 2_000;

export async function writeResponse(stream: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  const head = [
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`,
    ...headers,
    'connection: close',
    `content-length: ${body.length}`,
  ];
  // What is still coming is read and dropped: closing over it would reset the connection, and the
  // peer could lose the answer (RFC 9112 section 9.6).
  const timer = setTimeout(() => stream.destroy(), PATIENCE);
  stream.once('close', () => clearTimeout(timer));
  stream.once('end', () => stream.destroy());
  stream.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  stream.resume();
}
