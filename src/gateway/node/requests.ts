/**
 * The requests of each HTTP connection, which a client may send one after the other without waiting
 * for answers (pipelining). A few of them are worked on at a time; while one waits, nothing more is
 * read from the connection.
 *
 *   connection ──► waiting (what one read had brought) ──► open (at most OPEN) ──► answered and sent
 *
 * A request is open until the network has taken its answer: of a client that reads none of them, a
 * few are made, not as many as it asked for.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from '../identity/connection.ts';

/** How many requests of one connection are worked on at a time. Several, so that appends share a flush. */
const OPEN = 8;
/** How many may wait of one connection, and of all together: each takes some 3 KB. Who sends more is cut. */
const WAITING = 1_024;
const WAITING_TOGETHER = 16_384;

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

interface Requests {
  readonly open: Map<ServerResponse, OpenRequest>;
  readonly waiting: [IncomingMessage, ServerResponse][];
}

export class NodeRequests {
  readonly #listener: Listener;
  readonly #of = new WeakMap<Socket, Requests>();
  #waiting = 0;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** A request has come: it is worked on at once, or in its turn. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const requests = this.#of.get(socket) ?? this.#meet(socket);
    if (requests.open.size < OPEN && requests.waiting.length === 0) {
      this.#begin(socket, requests, request, response);
      return;
    }
    if (requests.waiting.length >= WAITING || this.#waiting >= WAITING_TOGETHER) {
      socket.destroy();
      return;
    }
    requests.waiting.push([request, response]);
    this.#waiting += 1;
    socket.pause();
  }

  /** What is told of an answer that is being made. */
  answerOf(response: ServerResponse): Answer | undefined {
    const { socket } = response.req;
    return this.#of.get(socket)?.open.get(response);
  }

  /** Whether there is a request that is not answered yet. */
  isBusy(socket: Socket): boolean {
    return (this.#of.get(socket)?.open.size ?? 0) > 0;
  }

  /** Whether something written now would be read as a part of an answer, or as that of another request. */
  isAnswering(socket: Socket): boolean {
    const requests = this.#of.get(socket);
    if (requests === undefined) return false;
    const [response, another] = requests.open.keys();
    return another !== undefined || response?.headersSent === true;
  }

  #meet(socket: Socket): Requests {
    const requests: Requests = { open: new Map(), waiting: [] };
    this.#of.set(socket, requests);
    // Node goes on reading when an answer is out, whoever has told it to pause.
    socket.on('resume', () => {
      if (requests.waiting.length > 0) socket.pause();
    });
    socket.once('close', () => {
      this.#waiting -= requests.waiting.length;
      requests.waiting.length = 0;
      // Of answers that were not at their turn, Node does not tell that they are in vain.
      for (const open of requests.open.values()) open.end();
      requests.open.clear();
    });
    return requests;
  }

  #begin(
    socket: Socket,
    requests: Requests,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const open = new OpenRequest(socket);
    requests.open.set(response, open);
    response.once('close', () => {
      open.end();
      requests.open.delete(response);
      if (!socket.destroyed) this.#beginNext(socket, requests);
    });
    void this.#listener(request, response);
  }

  #beginNext(socket: Socket, requests: Requests): void {
    const next = requests.waiting.shift();
    if (next === undefined) return;
    this.#waiting -= 1;
    // The last one may have a body that has not come whole.
    if (requests.waiting.length === 0) socket.resume();
    this.#begin(socket, requests, ...next);
  }
}

class OpenRequest implements Answer {
  readonly #socket: Socket;
  #ended: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  onEnd(callback: () => void): void {
    this.#ended = callback;
  }

  cut(): void {
    this.#socket.destroy();
  }

  end(): void {
    this.#ended?.();
    this.#ended = undefined;
  }
}
