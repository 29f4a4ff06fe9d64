/**
 * A gateway that listens, whatever the runtime. A listener takes connections for a gateway: it
 * hands requests to `fetch`, upgrades to `admit`, and sockets to `accept`, and holds to the limits
 * that only it can see (sizes of headers and messages, how long they may take, how many connections
 * may be half open). `test/contract/listeners` holds every one of them to that.
 */
export interface Listening {
  /** Where, as `http://host:port`. */
  readonly url: string;
  readonly port: number;
  /**
   * Stops accepting, lets appends and requests in flight finish, closes sockets with 1001. What
   * has not ended after `graceMs` milliseconds (default 10,000) is cut. Never rejects. Closing the
   * gateway's log does this first.
   */
  close(graceMs?: number): Promise<void>;
}
