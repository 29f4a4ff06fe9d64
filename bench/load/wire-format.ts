/** How the load speaks with a gateway: the few messages that it sends and understands. */
import type { Receipts } from './receipts.ts';

export type WireFormatName = 'millrace' | 'centrifuge';

export interface WireFormat {
  /** Where an account's socket connects to, to get what is new from now on. */
  path(account: string): string;
  /** What a client says first, if it has to. */
  readonly hello: string | undefined;
  /** Whether a frame says that the socket follows its account. */
  isLive(frame: Buffer): boolean;
  /** What a client has to answer at once to a frame, as to a ping; undefined for most. */
  answerTo(frame: Buffer): string | undefined;
  /** A message, in ASCII, that appends event `number` to an account's log. */
  append(number: number, account: number): string;
  /** Counts what a frame brings. No string is made: the load must cost less than what it measures. */
  take(frame: Buffer, receipts: Receipts, now: number): void;
}
