/** What the process with the client is asked, and what it answers. */
import type { LogName } from '../../src/event/log-name.ts';
import type { Percentiles } from '../latency.ts';

export const REPLAYED_LOG = 'replayed:1' as LogName;

export const REPLAY_WAYS = ['events() loop', 'view', 'view, cache on'] as const;
export type ReplayWay = (typeof REPLAY_WAYS)[number];

export type ClientQuestion =
  | {
      readonly ask: 'replay';
      readonly url: string;
      readonly way: ReplayWay;
      readonly events: number;
    }
  | { readonly ask: 'latency'; readonly url: string; readonly appends: number }
  | {
      readonly ask: 'memory';
      readonly url: string;
      readonly keeps: boolean;
      readonly events: number;
    };

export interface ClientReplayed {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** From calling `append`, in milliseconds. */
export interface ClientLatency {
  readonly ownPending: Percentiles;
  readonly ownConfirmed: Percentiles;
  readonly otherDevice: Percentiles;
}

/** Bytes of heap and buffers after garbage collections, above those of the loaded client. */
export interface ClientMemory {
  readonly following: number;
  /** The client is closed and let go of: what is left is the state. */
  readonly stateAlone: number;
}
