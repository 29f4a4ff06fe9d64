/** A gateway over a log in memory on a free port, and a WebSocket client that keeps what it got. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { Listening } from '../../src/gateway/listening.ts';
import { listen } from '../../src/gateway/node/listen.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { createLive } from '../../src/live/create-live.ts';
import type { EventLog } from '../../src/log/log.ts';
import { readFrame } from '../../src/protocol/json-frames.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../support/eventually.ts';

export interface RunningGateway {
  readonly log: EventLog;
  readonly gateway: Gateway;
  readonly listening: Listening;
  readonly url: string;
  /** The same place for WebSocket clients. */
  readonly socketUrl: string;
  stop(): Promise<void>;
}

export async function startGateway(
  options: Partial<GatewayOptions> & { readonly log?: EventLog } = {},
  listenOn: (gateway: Gateway, options: { readonly port: number }) => Promise<Listening> = listen,
): Promise<RunningGateway> {
  const log = options.log ?? new MemoryLog();
  const live = options.live ?? createLive({ log });
  const gateway = createGateway({ ...options, log, live });
  const listening = await listenOn(gateway, { port: 0 });
  return {
    log,
    gateway,
    listening,
    url: listening.url,
    socketUrl: listening.url.replace('http', 'ws'),
    async stop() {
      await listening.close(2_000);
      live.close();
      await log.close();
    },
  };
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

export interface UpgradeOptions {
  readonly protocol?: string | string[];
  readonly origin?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function upgrade(url: string, { protocol, origin, headers }: UpgradeOptions): WebSocket {
  return new WebSocket(url, [protocol ?? []].flat(), {
    headers: { ...headers, ...(origin === undefined ? {} : { origin }) },
  });
}

export interface Refused {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly type: string | undefined;
  readonly body: string;
}

/** What an upgrade is answered with that does not become a socket. */
export async function refusedUpgrade(url: string, options: UpgradeOptions = {}): Promise<Refused> {
  const socket = upgrade(url, options);
  socket.on('error', () => {});
  const [, response] = await Promise.race([
    once(socket, 'unexpected-response'),
    once(socket, 'open').then(() => {
      socket.terminate();
      throw new Error('the upgrade was not refused');
    }),
  ]);
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) body += chunk;
  const { headers, statusCode: status } = response;
  return { status, headers, type: headers['content-type'], body };
}

export class Client {
  readonly socket: WebSocket;
  readonly messages: string[] = [];
  readonly closing: Promise<Closing>;
  readonly #frames: Frame[] = [];
  #closed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.messages.push(String(data)));
    socket.on('error', () => {});
    this.closing = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#closed = true;
        resolve({ code, reason: String(reason) });
      });
    });
  }

  static async open(url: string, options: UpgradeOptions = {}): Promise<Client> {
    const socket = upgrade(url, options);
    const client = new Client(socket);
    await once(socket, 'open');
    return client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(message: string | object): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Waits until there are `count` messages, and answers them. */
  async received(count: number): Promise<string[]> {
    await eventually(() => this.messages.length >= count);
    return this.messages;
  }

  /**
   * The JSON frames that came so far, member for member, as it is the wire that is tested. What a
   * client makes of them must know them all.
   */
  get frames(): Frame[] {
    for (const message of this.messages.slice(this.#frames.length)) {
      if (readFrame(message).op === 'unknown') throw new Error(`no client knows ${message}`);
      this.#frames.push(JSON.parse(message) as Frame);
    }
    return this.#frames;
  }

  /** Waits for the first JSON frame that `fits`. */
  async frame(fits: (frame: Frame) => boolean): Promise<Frame> {
    return eventually(() => this.frames.find(fits) ?? false) as Promise<Frame>;
  }

  /** All events of all `events` frames, in order of arrival. */
  get events(): FrameEvent[] {
    return this.frames.flatMap((frame) => (frame.op === 'events' ? (frame.events ?? []) : []));
  }

  close(): Promise<Closing> {
    this.socket.close();
    return this.closing;
  }
}

export interface FrameEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly encoding?: string;
  readonly meta?: unknown;
}

export interface Frame {
  readonly op: string;
  readonly ref?: unknown;
  readonly log?: string;
  readonly code?: string;
  readonly message?: string;
  readonly events?: FrameEvent[];
  readonly [member: string]: unknown;
}
