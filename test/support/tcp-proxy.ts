/** A TCP proxy that loses what a test wants lost: replies, requests, connections. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isSilent: boolean;
}

export class TcpProxy {
  readonly #listener: Server;
  #target: number;
  readonly #pairs = new Set<Pair>();
  #swallowing = false;
  #refusing = false;
  #swallowed = 0;
  #opened = 0;

  private constructor(listener: Server, target: number) {
    this.#listener = listener;
    this.#target = target;
    listener.on('connection', (client) => this.#accept(client));
  }

  /** Listens on a free port of 127.0.0.1 and passes everything on to port `target`. */
  static async start(target: number): Promise<TcpProxy> {
    const listener = createServer();
    const proxy = new TcpProxy(listener, target);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** How many connections go through it now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** How many connections have ever gone through it. */
  get opened(): number {
    return this.#opened;
  }

  /** How many bytes of replies it has lost since {@link swallowReplies}. */
  get swallowed(): number {
    return this.#swallowed;
  }

  /** Passes new connections on to another port of 127.0.0.1, as an address does after a failover. */
  retarget(target: number): void {
    this.#target = target;
  }

  /** From now on requests get through and replies do not. */
  swallowReplies(): void {
    this.#swallowing = true;
    this.#swallowed = 0;
  }

  /** Loses all replies of one connection, which stays open; 0 is the oldest that there is. Nothing heals it. */
  silence(connection: number): void {
    [...this.#pairs][connection]!.isSilent = true;
  }

  /** From now on new connections are closed at once. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Breaks all connections that there are. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Passes everything on again. */
  heal(): void {
    this.#swallowing = false;
    this.#refusing = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    this.cut();
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#target, host: '127.0.0.1' });
    const pair: Pair = { client, server, isSilent: false };
    this.#pairs.add(pair);
    this.#opened += 1;
    client.pipe(server);
    server.on('data', (data) => {
      if (this.#swallowing || pair.isSilent) this.#swallowed += data.length;
      else if (!client.write(data)) server.pause();
    });
    client.on('drain', () => server.resume());
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
  }
}
