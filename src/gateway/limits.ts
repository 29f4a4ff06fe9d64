/** What one client, and all of them together, may ask of a gateway. Sizes are in bytes. */
export interface GatewayLimits {
  /** The largest message that a socket takes. Larger events go over HTTP. Default 64 KiB. */
  readonly maxFrameBytes: number;
  /** The largest HTTP request body. Default 9 MiB. */
  readonly maxBodyBytes: number;
  /** All HTTP request bodies larger than `maxFrameBytes` that are in memory at one time. Default 64 MiB. */
  readonly maxBodyBytesTogether: number;
  /** How many logs one socket may follow. Default 100. */
  readonly maxSubscriptions: number;
  /** How many appends of one socket may be under way before the gateway stops reading from it. Default 256. */
  readonly maxAppendsInFlight: number;
  /** How much may wait to be sent to one client before it counts as slow. Default 64 KiB. */
  readonly sendBufferBytes: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  maxFrameBytes: 65_536,
  maxBodyBytes: 9 * 1_048_576,
  maxBodyBytesTogether: 64 * 1_048_576,
  maxSubscriptions: 100,
  maxAppendsInFlight: 256,
  sendBufferBytes: 65_536,
};
