/** Counts what clients have sent and the gateway works on: request bodies, and the appends of sockets. */
import type { MillraceError } from '../../event/error.ts';
import { protocolError } from '../../protocol/problem.ts';

export class InMemory {
  readonly #most: number;
  #bytes = 0;

  /** @param most how many bytes there may be */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws MillraceError `overloaded` when there is no room for them */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#most) throw overloaded();
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

function overloaded(): MillraceError {
  return protocolError('overloaded', 'the gateway works on as much as it may hold; try again');
}
