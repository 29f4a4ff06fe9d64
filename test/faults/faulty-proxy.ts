/**
 * What lies between clients and a gateway, at its worst: it cuts connections, delays messages, repeats
 * them, and swallows all of one direction from some moment on, until the connection is cut. Within
 * a direction the order stays: that is what TCP gives.
 *
 *   client ◄── WebSocket, HTTP ──► FaultyProxy ◄──────► gateway
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

/** How often, of 1, for each message or request; `calm` is none. */
export interface Faults {
  readonly cut: number;
  readonly swallow: number;
  readonly repeat: number;
  readonly delay: number;
  /** At most, in milliseconds. */
  readonly longest: number;
}

export const CALM: Faults = { cut: 0, swallow: 0, repeat: 0, delay: 0, longest: 0 };

export class FaultyProxy implements AsyncDisposable {
  faults: Faults = CALM;
  readonly counts = { cut: 0, swallow: 0, repeat: 0, delay: 0, sockets: 0, requests: 0 };
  readonly #server: Server;
  readonly #target: number;
  readonly #random: () => number;
  readonly #pairs = new Set<() => void>();

  private constructor(target: number, random: () => number) {
    this.#target = target;
    this.#random = random;
    this.#server = createServer((incoming, response) => {
      void this.#pass(incoming, response).catch(() => response.destroy());
    });
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: ([first]) => first ?? false,
    });
    this.#server.on('upgrade', (incoming, socket, head) => {
      this.counts.sockets += 1;
      socket.on('error', () => {});
      const there = new WebSocket(`ws://127.0.0.1:${target}${incoming.url}`, protocolsOf(incoming));
      there.on('error', () => socket.destroy());
      there.on('open', () => {
        sockets.handleUpgrade(incoming, socket, head, (here) => this.#join(here, there));
      });
    });
  }

  static async start(target: number, random: () => number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, random);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts every socket that is open. */
  cutAll(): void {
    for (const cut of [...this.#pairs]) cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(here: WebSocket, there: WebSocket): void {
    const cut = () => {
      this.#pairs.delete(cut);
      here.terminate();
      there.terminate();
    };
    this.#pairs.add(cut);
    this.#passOn(here, there, cut);
    this.#passOn(there, here, cut);
  }

  #passOn(from: WebSocket, to: WebSocket, cut: () => void): void {
    let isSwallowed = false;
    let before: Promise<unknown> = Promise.resolve();
    const send = (text: string) => to.readyState === WebSocket.OPEN && to.send(text);
    from.on('error', () => {});
    from.on('message', (data) => {
      const text = String(data);
      const { faults } = this;
      isSwallowed ||= this.#does('swallow', faults.swallow);
      if (isSwallowed) return;
      const wait = this.#does('delay', faults.delay) ? this.#random() * faults.longest : 0;
      const isRepeated = this.#does('repeat', faults.repeat);
      const isCut = this.#does('cut', faults.cut);
      // Whether it still gets there or not.
      const isLost = isCut && this.#random() < 0.5;
      before = before.then(async () => {
        if (wait > 0) await sleep(wait);
        if (!isLost) send(text);
        if (isRepeated) send(text);
        if (isCut) cut();
      });
    });
    from.on('close', () => void before.then(() => to.close()));
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.counts.requests += 1;
    const { faults } = this;
    if (incoming.headers.accept?.includes('text/event-stream')) {
      await this.#stream(incoming, response);
      return;
    }
    const body = Buffer.concat(await incoming.toArray());
    if (this.#does('delay', faults.delay)) await sleep(this.#random() * faults.longest);
    const isCut = this.#does('cut', faults.cut);
    if (isCut && this.#random() < 0.5) throw new Error('cut on the way there');
    if (this.#does('repeat', faults.repeat)) await this.#ask(incoming, body);
    const answer = await this.#ask(incoming, body);
    if (isCut) throw new Error('cut on the way back');
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** An event stream, which does not end by itself. */
  async #stream(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const outgoing = request({
      ...{ host: '127.0.0.1', port: this.#target, path: incoming.url, headers: incoming.headers },
      agent: false,
    });
    const cut = () => {
      this.#pairs.delete(cut);
      outgoing.destroy();
      response.destroy();
    };
    this.#pairs.add(cut);
    outgoing.on('close', cut);
    response.on('close', cut);
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on('data', (chunk: Buffer) => {
      response.write(chunk);
      if (this.#does('cut', this.faults.cut)) cut();
    });
    answer.on('error', cut);
    answer.on('end', cut);
  }

  async #ask(incoming: IncomingMessage, body: Buffer) {
    const outgoing = request({
      ...{ host: '127.0.0.1', port: this.#target, path: incoming.url },
      ...{ method: incoming.method, headers: { ...incoming.headers, connection: 'close' } },
      agent: false,
    });
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return {
      status: answer.statusCode ?? 502,
      headers: { 'content-type': answer.headers['content-type'] ?? 'text/plain' },
      body: Buffer.concat(await answer.toArray()),
    };
  }

  #does(what: 'cut' | 'swallow' | 'repeat' | 'delay', chance: number): boolean {
    if (this.#random() >= chance) return false;
    this.counts[what] += 1;
    return true;
  }
}

function protocolsOf({ headers }: IncomingMessage): string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').flatMap((name) => name.trim() || []);
}
