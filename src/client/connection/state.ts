/**
 * What a client says about its connection, always with the reason.
 *
 *   connecting ──► catching up ──► live
 *       ▲               │            │        closed: for good
 *       └── offline ◄───┴────────────┘
 */
import type { Failure } from '../../protocol/problem.ts';

export type ConnectionStatus = 'connecting' | 'catching up' | 'live' | 'offline' | 'closed';

export interface ConnectionState {
  readonly status: ConnectionStatus;
  /** Why, for people, as in "the gateway does not answer". */
  readonly reason: string;
  /** The error that led here, where there is one. */
  readonly failure?: Failure | undefined;
  /** `offline`: when it is tried again, in milliseconds since 1970. */
  readonly retryAt?: number | undefined;
  /** What the events come over now; `tab`: over another tab of this browser. */
  readonly over?: 'websocket' | 'http' | 'tab' | undefined;
}
