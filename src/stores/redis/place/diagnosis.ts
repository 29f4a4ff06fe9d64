/**
 * What is at an address where a connection was cut short: looked at once more, by hand. Some servers
 * say why before they are asked, and end the connection; a client that writes meanwhile does not
 * always get to hear it. And a server that ends it without a word may want TLS, or not speak it.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How long to wait for each of what may come, in milliseconds. */
const PATIENCE = 300;

interface Address {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** The first that a server says, unasked or to a `PING`; empty for nothing. */
export async function firstWords({ host = 'localhost', port = 6379 }: Address): Promise<string> {
  const socket = connect({ host, port });
  try {
    return (await heard(socket)) || (await heard(socket, 'PING\r\n'));
  } finally {
    socket.destroy();
  }
}

function heard(socket: Socket, words?: string): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE, '');
    socket.once('data', (bytes) => resolve(bytes.toString('latin1', 0, 200)));
    for (const event of ['error', 'close']) socket.on(event, () => resolve(''));
    socket.on('close', () => clearTimeout(timer));
    if (words !== undefined && socket.writable) socket.write(words);
  });
}

export function speaksTls({ host = 'localhost', port = 6379 }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    // Nothing is said to it.
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    const end = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(end, 2 * PATIENCE, false);
    socket.on('secureConnect', () => end(true));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  });
}
