/**
 * What a listener must hold to, whatever the runtime, as tests: each file here is one topic, and is
 * given the listener. They are run by whatever test runner the runtime has, in the listener's own
 * process, because they hold up the log behind it and look at its memory.
 *
 *   listening(node) ─► a gateway on a free port ◄─ clients over real connections, some by hand
 */
import type { Gateway } from '../../../src/gateway/gateway.ts';
import type { Listening } from '../../../src/gateway/listening.ts';

/** What not every runtime lets a listener do. The first three are the capabilities of `GatewaySocket`. */
export type Ability =
  /** A socket stops to read, so that a client which sends too much is slowed down by TCP. */
  | 'reading'
  /** A socket tells how much the network has taken of one message. */
  | 'bytesTaken'
  /** Large events go in pieces: what is held of one for a slow client is bounded. */
  | 'frames'
  /** It tells a session what breaks the protocol before it closes the socket, so that the client can be told. */
  | 'farewell'
  /** Of many pings that come while an answer waits to be sent, it answers the last. */
  | 'pongs'
  /** It cuts the oldest connection when more are open than may be that have asked for nothing yet. */
  | 'halfOpen'
  /** It limits how long a request may take to come, and answers 408. */
  | 'requestTimeouts'
  /** It answers with a problem what is no HTTP, no handshake, or too long to be taken. */
  | 'refusals'
  /** It takes only so many requests of one connection at a time. */
  | 'pipelining'
  /** It tells the gateway what becomes of an answer, so that answers which nobody takes make room. */
  | 'answers';

/** A listener, put to the tests. */
export interface ListenerUnderTest {
  readonly name: string;
  /** Starts to listen on a port of `127.0.0.1`; 0 for any that is free. */
  listen(gateway: Gateway, options: { readonly port: number }): Promise<Listening>;
  /** What it cannot do, each with the reason. All else it can. */
  readonly lacks: Partial<Record<Ability, string>>;
}

/** For `test.skipIf`: what is skipped, for which reason, is in `lacks`. */
export function without(listener: ListenerUnderTest, ability: Ability): boolean {
  return listener.lacks[ability] !== undefined;
}
