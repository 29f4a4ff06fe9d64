/**
 * Who is asking. `authenticate` is all that a gateway knows of how that is found out: `jwt.ts` and
 * `cookie-session.ts` are two ways, an application may bring its own. What somebody may do then is
 * in `authorization.ts`.
 */
import { MillraceError } from '../../event/error.ts';

/** The head of a request; a web `Request` fits. */
export interface RequestHead {
  /** Absolute, or the path and query alone. */
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

/** Somebody who was let in. Serializable as JSON: a ticket carries it to another gateway. */
export interface Identity {
  /** The account ID. */
  readonly account: string;
  /** What they may do beyond what every account may. */
  readonly claims?: Claims | undefined;
  /** Until when it holds, in milliseconds since 1970. Left out: for as long as the connection. */
  readonly expiresAt?: number | undefined;
  /** What {@link Authenticate.renew} finds the identity again by. It may be a secret. */
  readonly session?: string | undefined;
}

/** Logs are patterns: a name like `room:5`, or its beginning and `*`, like `room:*`. */
export interface Claims {
  /** Logs that may be read. */
  readonly logs?: readonly string[] | undefined;
  /** Logs that may be appended to. */
  readonly append?: readonly string[] | undefined;
  /** Which events may be appended, in place of what every account may: `category=type`, like `room=Said`. */
  readonly types?: readonly string[] | undefined;
  /** May do everything, also in the name of other accounts. */
  readonly admin?: boolean | undefined;
}

/**
 * Finds out who sent a request.
 * Throws {@link Unauthenticated} when that cannot be told; whatever else it throws is shown as a
 * failure of the gateway.
 */
export interface Authenticate {
  (request: RequestHead): Promise<Identity>;
  /**
   * Asked when the time of an identity is over, for a connection that is still open. Throws
   * {@link Unauthenticated} to end the connection. Without it, the connection ends.
   */
  readonly renew?: (identity: Identity) => Promise<Identity>;
}

/** Who is asking is not known, or no longer: 401, and 4401 on a socket. */
export class Unauthenticated extends MillraceError {
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string;

  constructor(message: string, challenge = BEARER_CHALLENGE) {
    super('unauthenticated', message);
    this.challenge = challenge;
  }
}

/** RFC 6750 section 3. */
export const BEARER_CHALLENGE = 'Bearer realm="millrace"';
