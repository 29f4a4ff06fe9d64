/**
 * What a device reaches the gateway through: one origin that serves the page and passes everything else
 * on. The page stays when the gateway dies, as with a server of pages of its own. It can refuse
 * upgrades, as some proxies of companies do, and counts sockets.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const KINDS: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' };

export class Front implements AsyncDisposable {
  /** Answers upgrades with 403. */
  refusesUpgrades = false;
  /** How many sockets it has passed on, ever. */
  socketsOpened = 0;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  /** Of the client, and where it goes on to. */
  readonly #sockets = new Map<Duplex, Socket>();
  readonly #files: Readonly<Record<string, string>>;
  #target: number;

  private constructor(target: number, files: Readonly<Record<string, string>>) {
    this.#target = target;
    this.#files = files;
    this.#server = createServer();
    this.#server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#server.on('request', (incoming, response) => {
      const path = incoming.url!.split('?')[0]!;
      const file = this.#files[path];
      if (file !== undefined) {
        const kind = KINDS[path.slice(path.lastIndexOf('.') + 1)] ?? 'text/html';
        response.writeHead(200, { 'content-type': `${kind}; charset=utf-8` }).end(file);
        return;
      }
      const outgoing = request(this.#there(incoming), (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      });
      outgoing.on('error', () => response.destroy());
      response.on('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    });
    this.#server.on('upgrade', (incoming, client, head) => this.#upgrade(incoming, client, head));
  }

  /** @param files what it serves itself, by path */
  static async start(target: number, files: Readonly<Record<string, string>>): Promise<Front> {
    const front = new Front(target, files);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many sockets are open now. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** Breaks what is open. */
  cut(): void {
    for (const connection of this.#connections) connection.resetAndDestroy();
  }

  /** Passes nothing on any more of what is open, and tells nobody. */
  forget(): void {
    for (const [client, gateway] of this.#sockets) {
      this.#sockets.delete(client);
      client.unpipe();
      gateway.unpipe();
      gateway.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #there({ method, url, headers }: IncomingMessage) {
    // `Host` goes along: the gateway takes the page for its own.
    return { host: '127.0.0.1', port: this.#target, method, path: url, headers };
  }

  #upgrade(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    client.on('error', () => client.destroy());
    if (this.refusesUpgrades) {
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const gateway = connect(this.#target, '127.0.0.1');
    gateway.on('error', () => client.destroy());
    gateway.on('close', () => {
      if (this.#sockets.has(client)) client.destroy();
    });
    client.on('close', () => {
      this.#sockets.delete(client);
      gateway.destroy();
    });
    gateway.on('connect', () => {
      this.socketsOpened += 1;
      this.#sockets.set(client, gateway);
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
        lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
      }
      gateway.write(`${lines.join('\r\n')}\r\n\r\n`);
      gateway.write(head);
      client.pipe(gateway).pipe(client);
    });
  }
}
