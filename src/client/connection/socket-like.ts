/**
 * What a client needs of a WebSocket. Those of browsers, of Node from 22 on and of `ws` have it; the
 * types of one are not those of the other, so whoever listens says which part of an event it reads.
 */
export interface SocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols?: string[]) => SocketLike;
