/** One connection to a gateway, over which way it may be. `link.ts` opens another when it has ended. */
import type { LogName } from '../../event/log-name.ts';
import type { Frame } from '../../protocol/json-frames.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { AttemptAnswer, ClientStart } from '../upstream.ts';

/** What is said about one log. */
export type LogFrame =
  | Extract<Frame, { readonly op: 'events' | 'live' | 'trimmed' | 'reset' }>
  | { readonly op: 'error'; readonly log: LogName; readonly failure: Failure };

export interface Transport {
  readonly over: 'websocket' | 'http';
  /** Starts a log, also one that is followed already: what comes after the call is of the new start. */
  follow(log: LogName): void;
  unfollow(log: LogName): void;
  /** Finds out at once whether anybody is there. */
  check(): void;
  /** Sends an append as a message. Left out: it goes by a request of its own. Never rejects. */
  append?(ref: number, message: string): Promise<AttemptAnswer>;
  /** The owner is told nothing any more. */
  close(): void;
}

export interface TransportOwner {
  /** @param account whom the gateway takes us for, where it says so */
  opened(transport: Transport, account?: string): void;
  received(transport: Transport, frame: LogFrame): void;
  /** Where a log is to be started now. */
  startOf(log: LogName): ClientStart;
  /** It is over; told once, also of one that never opened. */
  ended(transport: Transport, failure: Failure): void;
}
