/** What the benchmark asks of the load process, and what that answers. */
import type { Percentiles } from '../latency.ts';
import type { WireFormatName } from './wire-format.ts';

/** How many sockets send; they come on top of the accounts' own. */
export const WRITERS = 64;

/** Opens `count` sockets for the accounts `first`, `first + 1`, …, one each, and waits until each is live. */
export interface Connect {
  readonly do: 'connect';
  readonly port: number;
  /** What these sockets speak until the next `connect`. */
  readonly format: WireFormatName;
  readonly first: number;
  readonly count: number;
}

/** Cuts all connections. */
export interface Disconnect {
  readonly do: 'disconnect';
}

/** Sends events through the gateway, from a few writer sockets to all connected accounts in turn. */
export interface Send {
  readonly do: 'send';
  /** Events per second. */
  readonly rate: number;
  readonly seconds: number;
  /** The first part of the run, whose latencies do not count. */
  readonly warmUpSeconds: number;
  /** How long to wait for what is still on its way. */
  readonly drainSeconds: number;
}

export interface Sent {
  readonly sent: number;
  /** Events per second that were really sent. */
  readonly rate: number;
  readonly acknowledged: number;
  readonly received: number;
  /** Events that came twice. */
  readonly doubled: number;
  /** Connections that ended, and operations that were refused, with the first reason. */
  readonly failures: number;
  readonly firstFailure: string | undefined;
  /** From sending an event to its arrival at the account's socket, in milliseconds. */
  readonly delivery: Percentiles;
  /** From sending an event to its acknowledgement, in milliseconds. */
  readonly acknowledgement: Percentiles;
  /** How late the load process's own timer was, in milliseconds: above some ms, it is the bottleneck. */
  readonly loadLag: Percentiles;
}

/** Reads a whole log on one socket. */
export interface Replay {
  readonly do: 'replay';
  readonly port: number;
  readonly account: string;
}

export interface Replayed {
  readonly events: number;
  readonly bytes: number;
  /** From the request for the connection until the gateway said `live`. */
  readonly seconds: number;
}

export type Question = Connect | Disconnect | Send | Replay;
