/** The way out to one client, as its transport has it: what events are made into, and where that goes. */
import type { Encoded, FrameEncoder } from '../live/batch.ts';
import type { PieceFormat } from './in-pieces.ts';

/** Where frames go: one client's stream of bytes. None of its functions may throw. */
export interface Outlet<Frame extends Encoded> {
  /** Whether anything can still be sent. */
  readonly isOpen: boolean;
  /** Sends a frame; what is written in one turn of the event loop may go out together. */
  write(frame: Frame): void;
  /** Sends a frame now, behind what was written. @returns whether there is room for another before it has drained */
  writeAtOnce(frame: Frame): boolean;
}

/** How events become frames. Keep one for each way: connections share what it makes. */
export interface Wire<Frame extends Encoded> {
  readonly encode: FrameEncoder<Frame>;
  /** Left out where a message can only be sent whole. */
  readonly pieces: PieceFormat<Frame> | undefined;
}
