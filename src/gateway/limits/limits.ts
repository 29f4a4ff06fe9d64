/**
 * What one client, and all of them together, may ask of a gateway. Sizes are in bytes, times in
 * milliseconds. Where 0 means no limit, it says so.
 */
export interface GatewayLimits {
  /** The largest message that a socket takes. Larger events go over HTTP. Default 64 KiB. */
  readonly maxFrameBytes: number;
  /** The largest HTTP request body. Default 9 MiB. */
  readonly maxBodyBytes: number;
  /** All HTTP request bodies and all appends of sockets that are in memory at one time. Default 64 MiB. */
  readonly maxBodyBytesTogether: number;
  /** How many JSON values a message or body may hold. Default 250,000. */
  readonly maxValues: number;
  /** The address and all headers of a request together. Default 16 KiB. */
  readonly maxHeaderBytes: number;
  /** How long the headers of a request may take to come. Default 10 s. */
  readonly headerTimeout: number;
  /** How long a whole request may take to come. Default 60 s. */
  readonly requestTimeout: number;
  /** How many connections may be open that have not made a request yet; then the oldest is cut. Default 1,000. */
  readonly maxHalfOpen: number;
  /** How many sockets and event streams one gateway holds. Default 20,000; 0: no limit. */
  readonly maxConnections: number;
  /** Sockets and event streams of one account, over all gateways. Default 100; 0: no limit. */
  readonly maxSocketsPerAccount: number;
  /** Sockets and event streams from one client address, over all gateways. Default 1,000; 0: no limit. */
  readonly maxSocketsPerAddress: number;
  /** How many logs one socket may follow. Default 100. */
  readonly maxSubscriptions: number;
  /** How many appends of one socket may be under way before the gateway stops reading from it. Default 256. */
  readonly maxAppendsInFlight: number;
  /** How much they may take, with the answers that they will get. Default 1 MiB. */
  readonly maxAppendBytesInFlight: number;
  /** Appends and other changes a second of one account, over all gateways. Default 1,000; 0: no limit. */
  readonly appendRate: number;
  /** Appends that an account which has paused may make at once. Default 2,000. */
  readonly appendBurst: number;
  /** What all answers with pages take together that are not sent yet; then the oldest is cut. Default 128 MiB. */
  readonly maxAnswerBytesTogether: number;
  /**
   * Accounts that one client address may register in an hour, over all gateways, where everybody
   * may register them. Default 100; 0: no limit.
   */
  readonly registrationRate: number;
  /** How much is kept of large events that are on their way in pieces; others are read again. Default 16 MiB. */
  readonly largeEventBytes: number;
  /** How much may wait to be sent to one client before it counts as slow. Default 64 KiB. */
  readonly sendBufferBytes: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  maxFrameBytes: 65_536,
  maxBodyBytes: 9 * 1_048_576,
  maxBodyBytesTogether: 64 * 1_048_576,
  maxValues: 250_000,
  maxHeaderBytes: 16_384,
  headerTimeout: 10_000,
  requestTimeout: 60_000,
  maxHalfOpen: 1_000,
  maxConnections: 20_000,
  maxSocketsPerAccount: 100,
  maxSocketsPerAddress: 1_000,
  maxSubscriptions: 100,
  maxAppendsInFlight: 256,
  maxAppendBytesInFlight: 1_048_576,
  appendRate: 1_000,
  appendBurst: 2_000,
  registrationRate: 100,
  maxAnswerBytesTogether: 128 * 1_048_576,
  largeEventBytes: 16 * 1_048_576,
  sendBufferBytes: 65_536,
};
