/** What a gateway can be told when it is made. */
import type { Live } from '../live/live.ts';
import type { EventLog } from '../log/log.ts';
import type { MetricsOptions } from '../metrics/observer.ts';
import type { Records } from '../records/records.ts';
import type { AccountKeeper, WhoMayRegister } from './http/account-keeper.ts';
import type { AccessOptions } from './identity/access.ts';
import type { GatewayLimits } from './limits/limits.ts';
import type { Logger } from './logger.ts';

export interface GatewayOptions extends AccessOptions, MetricsOptions {
  readonly log: EventLog;
  readonly live: Live;
  /** Answers `/accounts`. Left out: there are no such addresses. */
  readonly accounts?: AccountKeeper | undefined;
  /** Who may register accounts. Default: `open` when the gateway is open itself, else `admin`. */
  readonly registration?: WhoMayRegister | undefined;
  readonly limits?: Partial<GatewayLimits> | undefined;
  /**
   * Where gateways that share a store count appends and connections together. Left out: the limits
   * are those of this gateway alone.
   */
  readonly sharedLimits?: Records | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  /** How often a socket is pinged, in milliseconds. Default 25,000. */
  readonly pingInterval?: number | undefined;
  /** How long a socket may show no sign of life before it is closed, in milliseconds. Default 60,000. */
  readonly idleTimeout?: number | undefined;
}
