/**
 * Another token on a live socket, so that nobody has to connect again because time has passed.
 *
 *   held ──authenticate──► checking ──► held: by the new identity, or by the one before
 *    │                        │
 *    │                        └─ what the client sends meanwhile waits, and so does the end of its time
 *    └──its time is over──► the socket ends
 *
 * As what is sent behind it waits, several go in order, one at a time, and what the new token allows
 * can be asked for at once.
 */
import type { MillraceError } from '../../event/error.ts';
import type { Ref } from '../../protocol/operation.ts';
import { protocolError } from '../../protocol/problem.ts';
import type { Sender } from '../appending.ts';
import type { Access } from '../identity/access.ts';
import type { Identity } from '../identity/identity.ts';
import type { AppendRate } from '../limits/append-rate.ts';

/** How long an `authenticate` of an application, or a key server, may take, in milliseconds. */
const PATIENCE = 10_000;

/** The session whose identity it is. */
export interface RenewalOwner extends Sender {
  readonly identity: Identity;
  /** Whose socket it is. */
  readonly accountId: string;
  /** Another identity of the same account counts from now on. */
  become(identity: Identity): void;
  /** Who is at the other end may not be there any longer. */
  identityEnded(error: MillraceError): void;
  authenticated(ref: Ref): void;
  tell(error: unknown, ref: Ref): void;
  /** It is told what came of it. */
  renewalEnded(): void;
}

export interface RenewalContext {
  readonly access: Access;
  readonly appendRate: AppendRate;
}

export class Renewal {
  /** Whether a token is being looked at. */
  isUnderway = false;
  readonly #context: RenewalContext;
  readonly #owner: RenewalOwner;
  /** The time of the identity has ended while a token was looked at. */
  #ended: MillraceError | undefined;
  #isClosed = false;

  constructor(context: RenewalContext, owner: RenewalOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** The time of the identity is over: tells the owner, or waits for the token that is looked at. */
  expired(error: MillraceError): void {
    if (this.isUnderway) this.#ended = error;
    else this.#owner.identityEnded(error);
  }

  /** Nobody is told any more. */
  close(): void {
    this.#isClosed = true;
  }

  async begin(ref: Ref, token: string): Promise<void> {
    this.isUnderway = true;
    let failure: { readonly error: unknown } | undefined;
    try {
      const identity = await this.#inTime(this.#identityOf(token));
      if (!this.#isClosed) this.#become(identity);
    } catch (error) {
      failure = { error };
    }
    this.isUnderway = false;
    if (this.#isClosed) return;
    if (failure === undefined) {
      this.#owner.authenticated(ref);
    } else {
      this.#owner.tell(failure.error, ref);
      if (this.#ended !== undefined) this.#owner.identityEnded(this.#ended);
    }
    this.#ended = undefined;
    this.#owner.renewalEnded();
  }

  async #identityOf(token: string): Promise<Identity> {
    const { access, appendRate } = this.#context;
    const { identity, spender } = this.#owner;
    if (access.open) throw forbidden('this gateway asks nobody who they are');
    if (identity.session !== undefined) {
      throw forbidden('this socket goes by a session, which is looked at again by itself');
    }
    return appendRate.spend(spender, () => access.identifyToken(token));
  }

  #become(identity: Identity): void {
    const { identity: before, accountId } = this.#owner;
    if (identity.account !== before.account) {
      throw forbidden('the token is of another account: open another socket for it');
    }
    // An admin may have been somebody else.
    this.#context.access.demandAccount(identity, accountId);
    this.#owner.become(identity);
  }

  async #inTime<Result>(promise: Promise<Result>): Promise<Result> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(notInTime()), PATIENCE);
      timer.unref?.();
    });
    try {
      return await Promise.race([promise, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function forbidden(reason: string): MillraceError {
  return protocolError('forbidden', reason);
}

function notInTime(): MillraceError {
  const reason = `the token could not be checked within ${PATIENCE / 1_000} s; send it again`;
  return protocolError('keys_unavailable', reason);
}
