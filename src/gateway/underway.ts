/**
 * Large events on their way out to one client: as many pieces as there is room for, the next ones
 * when there is room again. What else is to be sent meanwhile waits behind them.
 */
import type { Encoded } from '../live/batch.ts';
import type { InPieces } from './in-pieces.ts';
import type { Outlet } from './outlet.ts';

export class Underway<Frame extends Encoded> {
  /** What came meanwhile. */
  readonly behind: Frame[] = [];
  readonly #pieces: InPieces<Frame>;
  readonly #outlet: Outlet<Frame>;
  readonly #wentOn: (error?: unknown) => void;
  /** A piece is being written, or being had again. */
  #busy = false;
  #stopped = false;
  #waitsForPiece = false;

  /** @param wentOn is called when it could go on by itself, or with what keeps it from ever doing so */
  constructor(pieces: InPieces<Frame>, outlet: Outlet<Frame>, wentOn: (error?: unknown) => void) {
    this.#pieces = pieces;
    this.#outlet = outlet;
    this.#wentOn = wentOn;
  }

  /** Whether it waits for a piece that has to be had again, and not for the client. */
  get waitsForPiece(): boolean {
    return this.#waitsForPiece;
  }

  /** Writes while there is room. @returns whether all is out */
  goOn(): boolean {
    // To write a piece can bring us here again, from in between.
    if (this.#busy) return false;
    this.#busy = true;
    while (this.#isWanted) {
      const piece = this.#pieces.next();
      if (piece instanceof Promise) {
        void this.#goOnWith(piece);
        return false;
      }
      if (piece === undefined) return true;
      if (!this.#write(piece)) break;
    }
    this.#busy = false;
    return false;
  }

  /** The client is gone. */
  stop(): void {
    this.#stopped = true;
  }

  get #isWanted(): boolean {
    return !this.#stopped && this.#outlet.isOpen;
  }

  async #goOnWith(next: Promise<Frame>): Promise<void> {
    let room: boolean;
    this.#waitsForPiece = true;
    try {
      const piece = await next;
      this.#waitsForPiece = false;
      if (!this.#isWanted) return;
      room = this.#write(piece);
    } catch (error) {
      if (this.#isWanted) this.#wentOn(error);
      return;
    }
    this.#busy = false;
    if (room) this.#wentOn();
  }

  #write(piece: Frame): boolean {
    if (this.#outlet.writeAtOnce(piece)) return true;
    this.#pieces.rest();
    return false;
  }
}
