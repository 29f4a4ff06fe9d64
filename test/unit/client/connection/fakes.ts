/** A gateway that says what a test has it say: sockets, and answers to requests. */

import type { Receiver } from '../../../../src/client/upstream.ts';
import { parseLogName } from '../../../../src/event/log-name.ts';

export const room = (id: string | number) => parseLogName(`room:${id}`);

export class FakeSocket {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly sent: { readonly op: string; readonly [member: string]: unknown }[] = [];
  readyState = 0;
  isClosed = false;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;

  constructor(url: string, protocols: readonly string[] = []) {
    this.url = url;
    this.protocols = protocols;
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }

  close(): void {
    this.isClosed = true;
  }

  // What the other end does.

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as never);
  }

  connected(more: object = {}): void {
    this.say({ op: 'connected', account: '1', ...more });
  }

  events(log: string, ...ids: readonly string[]): void {
    this.say({ op: 'events', log, events: ids.map((id) => ({ id, type: 'T', payload: id })) });
  }

  end(code = 1006, reason = ''): void {
    this.onclose?.({ code, reason } as never);
  }

  ops(op: string) {
    return this.sent.filter((message) => message.op === op);
  }
}

/** All sockets that were opened, and the class that opens them. */
export function sockets() {
  const all: FakeSocket[] = [];
  class Opened extends FakeSocket {
    constructor(url: string, protocols?: readonly string[]) {
      super(url, protocols);
      all.push(this);
    }
  }
  return { all, WebSocket: Opened, last: () => all.at(-1)! };
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly signal: AbortSignal | undefined;
}

/** Answers requests by `answer`; `undefined`: nobody does. All that came are kept. */
export function fakeFetch(answer: (request: Request) => Response | Promise<Response> | undefined) {
  const requests: Request[] = [];
  const fetch = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    const { pathname, search } = new URL(String(url));
    const request = {
      method: init.method ?? 'GET',
      path: pathname + search,
      headers: (init.headers ?? {}) as Record<string, string>,
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
      signal: init.signal ?? undefined,
    };
    requests.push(request);
    const answered = await answer(request);
    if (answered === undefined) throw new TypeError('fetch failed');
    return answered;
  };
  return { requests, fetch: fetch as typeof globalThis.fetch };
}

export function problem(status: number, code: string, more: object = {}): Response {
  return Response.json({ code, detail: `${code} it is`, ...more }, { status });
}

/** What a receiver is told, as text. */
export function recorder() {
  const told: string[] = [];
  const receiver: Receiver = {
    events: (log, events) => told.push(`${log}: ${events.map(({ id }) => id).join(' ')}`),
    live: (log, at) => told.push(`${log} live ${at}`),
    trimmed: (log, resumeAfter) => told.push(`${log} trimmed ${resumeAfter}`),
    reset: (log, version) => told.push(`${log} reset ${version}`),
    failed: (log, { code }) => told.push(`${log} failed ${code}`),
  };
  return { told, receiver };
}
