/**
 * One client's socket, in either wire format: what it asks for, and what it is answered. How much
 * of that is taken at a time is decided in `intake.ts`; what it follows is in `following.ts`.
 *
 *   open ──(finish: appends under way end first / fail / expire)──► closing ──► closed
 */
import type { MillraceError } from '../../event/error.ts';
import type { EventId } from '../../event/event-id.ts';
import { accountLog, type LogName } from '../../event/log-name.ts';
import type { Encoded } from '../../live/batch.ts';
import { errorCode } from '../../protocol/error-codes.ts';
import { authenticatedFrame, connectedFrame, type Welcome } from '../../protocol/json-frames.ts';
import type { Ref } from '../../protocol/operation.ts';
import { presentable, protocolError } from '../../protocol/problem.ts';
import { hasMoreValues } from '../../protocol/value-count.ts';
import type { WireFormat } from '../../protocol/wire-format.ts';
import { shownOf } from '../failure.ts';
import { Following, type FollowingContext, type FollowingOwner } from '../following.ts';
import type { Beating, Heartbeat } from '../heartbeat.ts';
import type { Identity } from '../identity/identity.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import { tooManyValues } from '../limits/values.ts';
import type { Logger } from '../logger.ts';
import type { Admission } from './admission.ts';
import { Appends, type AppendsContext, type AppendsOwner } from './appends.ts';
import { Intake, type IntakeContext, type IntakeOwner } from './intake.ts';
import { Renewal, type RenewalContext, type RenewalOwner } from './renewal.ts';
import type { GatewaySocket, SocketFrames, SocketSession, Unreadable } from './socket.ts';
import { WholeMessages, wireOf } from './socket-wire.ts';
import { brokenBy, unreadable } from './unreadable.ts';

/** What all sessions of a gateway share. */
export interface SessionContext
  extends FollowingContext,
    AppendsContext,
    IntakeContext,
    RenewalContext {
  readonly limits: GatewayLimits;
  readonly logger: Logger;
  readonly heartbeat: Heartbeat;
  readonly sessions: Set<Session>;
}

/** What is closed with these codes is no error of its own. */
const EVENT_GONE = 1011;
const TRY_AGAIN_LATER = 1013;

const UTF8 = new TextEncoder();

export class Session
  implements SocketSession, FollowingOwner, IntakeOwner, AppendsOwner, RenewalOwner, Beating
{
  identity: Identity;
  readonly spender: string;
  seenAt = 0;
  readonly #context: SessionContext;
  readonly #socket: GatewaySocket;
  readonly #frames: SocketFrames;
  readonly format: WireFormat;
  readonly accountId: string;
  readonly #intake: Intake;
  readonly #appends: Appends;
  readonly #following: Following<Encoded>;
  readonly #slot: number;
  readonly #renewal: Renewal;
  /** What the network had taken when something last waited at a beat. */
  #takenAtBeat: number | undefined;
  #finished: (() => void) | undefined;

  constructor(context: SessionContext, socket: GatewaySocket, admission: Admission) {
    const { identity, format, accountId } = admission;
    this.#context = context;
    this.#socket = socket;
    this.#frames = socket.frames ?? new WholeMessages(socket);
    this.format = format;
    this.accountId = accountId;
    this.identity = identity;
    this.spender = accountLog(identity.account);
    this.#intake = new Intake(context, this, socket);
    this.#appends = new Appends(context, this);
    this.#renewal = new Renewal(context, this);
    const wire = wireOf(this.#frames.framing, format);
    this.#following = new Following(context, identity, this, this.#frames, wire);
    this.#slot = context.heartbeat.add(this);
    context.sessions.add(this);
    if (!admission.follows) {
      this.send(connectedFrame(this.#welcome()));
      return;
    }
    this.#try(undefined, admission.log, () => {
      this.#following.follow(admission.log, admission.start);
    });
  }

  // What the runtime reports.

  receive(message: string): void {
    const { maxValues } = this.#context.limits;
    // A text has no more values than characters, so most are not even looked at.
    const tooMany = message.length > maxValues && hasMoreValues(UTF8.encode(message), maxValues);
    this.#intake.take(tooMany ? tooManyValues('a message', maxValues) : message);
  }

  refuse(why: Unreadable): void {
    this.#intake.take(unreadable(why, this.#context.limits));
  }

  fail(closeCode: number): string {
    const error = brokenBy(closeCode, this.#context.limits);
    if (!this.#intake.isStopped) {
      this.tell(error);
      this.#intake.stop();
    }
    return error.code;
  }

  seen(): void {
    this.seenAt = this.#context.heartbeat.now;
  }

  drained(): void {
    this.seen();
    this.#following.drained();
    this.#intake.goOn();
  }

  closed(): void {
    this.#intake.stop();
    this.#renewal.close();
    this.#following.close();
    this.#context.heartbeat.remove(this, this.#slot);
    this.#context.sessions.delete(this);
    this.#finished?.();
  }

  // Signs of life.

  beat(): void {
    this.#lookForProgress();
    this.#socket.ping();
  }

  expire(): void {
    // A halted session does not read, so it cannot see a sign of life: that is our doing.
    if (this.#appends.count > 0) return;
    if (this.#following.waitsForPiece) this.seen();
    else this.#end('idle_timeout');
  }

  /**
   * What waits keeps our ping from the peer: while that goes on shrinking, the peer reads. Only
   * then: what does not wait is taken by our own end of the network, whether or not anybody reads.
   */
  #lookForProgress(): void {
    const { bytesWaiting } = this.#socket;
    const taken = this.#socket.bytesTaken ?? -bytesWaiting;
    if (this.#takenAtBeat !== undefined && taken > this.#takenAtBeat) this.seen();
    this.#takenAtBeat = bytesWaiting > 0 ? taken : undefined;
  }

  // How it ends.

  /** Takes no more operations, lets appends under way finish, then closes with 1001. */
  finish(): Promise<void> {
    this.#intake.stop();
    if (this.#appends.count === 0) {
      this.#end('shutting_down');
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#finished = resolve;
    });
  }

  appendEnded(): void {
    if (this.#finished !== undefined && this.#appends.count === 0) {
      this.#end('shutting_down');
      this.#finished();
    }
    this.#intake.goOn();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  expired(error: MillraceError): void {
    this.#renewal.expired(error);
  }

  /** The client is told why, and that another token would help. */
  identityEnded(error: MillraceError): void {
    if (this.#intake.isStopped) return;
    this.tell(error);
    this.#end('unauthenticated');
  }

  /** Whoever comes again is told what became of the event. */
  broken(error: unknown): void {
    shownOf(error, this.#context.logger, 'an event could not be sent whole');
    this.#close(EVENT_GONE, 'event_gone');
  }

  flooded(): void {
    const { maxAppendBytesInFlight } = this.#context.limits;
    const message = `more than ${maxAppendBytesInFlight} bytes were sent before earlier ones were answered; wait for answers, and connect again`;
    this.tell(protocolError('overloaded', message));
    this.#close(TRY_AGAIN_LATER, 'overloaded');
  }

  #end(code: 'shutting_down' | 'idle_timeout' | 'unauthenticated'): void {
    this.#close(errorCode(code).close ?? 1001, code);
  }

  #close(code: number, reason: string): void {
    this.#intake.readOut();
    this.#socket.close(code, reason);
  }

  // What the client asks for.

  get isOverloaded(): boolean {
    return this.#appends.areFull || this.#following.isFull || this.#renewal.isUnderway;
  }

  perform(message: string): void {
    const operation = this.format.parse(message, this.accountId);
    switch (operation.op) {
      case 'append':
        this.#appends.begin(operation, message.length);
        break;
      case 'ping':
        this.send(this.format.pong(operation.ref));
        break;
      case 'subscribe':
        this.#try(operation.ref, operation.log, () => {
          this.#following.follow(operation.log, operation.start);
        });
        break;
      case 'unsubscribe':
        this.#try(operation.ref, operation.log, () => this.#following.unfollow(operation.log));
        break;
      case 'authenticate':
        void this.#renewal.begin(operation.ref, operation.token);
        break;
      case 'pause':
        this.#following.pause();
        break;
      case 'resume':
        this.#following.resume();
        break;
      case 'refused':
        this.#context.appending.chargeRefused(this);
        this.tell(operation.error, operation.ref);
    }
  }

  become(identity: Identity): void {
    this.identity = identity;
    this.#following.become(identity);
  }

  authenticated(ref: Ref): void {
    this.send(authenticatedFrame(ref, this.#welcome()));
  }

  renewalEnded(): void {
    this.#intake.goOn();
  }

  #welcome(): Welcome {
    const { expiresAt, session } = this.identity;
    // A session is looked at again then: that is not its end.
    if (expiresAt === undefined || session !== undefined) return { account: this.accountId };
    const left = expiresAt - this.#context.access.clock();
    return { account: this.accountId, expiresIn: Math.max(0, Math.floor(left)) };
  }

  #try(ref: Ref, log: LogName, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.tell(error, ref, log);
    }
  }

  // What the client is told.

  get isFull(): boolean {
    return this.#socket.bytesWaiting >= this.#context.limits.sendBufferBytes;
  }

  live(log: LogName, at: EventId): void {
    this.send(this.format.live(log, at));
  }

  trimmed(log: LogName, resumeAfter: EventId): void {
    this.send(this.format.trimmed(log, resumeAfter));
  }

  reset(log: LogName, version: EventId): void {
    this.send(this.format.reset(log, version));
  }

  failed(log: LogName, error: MillraceError): void {
    this.tell(presentable(error), undefined, log);
  }

  /** @param log of an error that is about a subscription */
  tell(error: unknown, ref?: Ref, log?: LogName): void {
    const shown = shownOf(error, this.#context.logger, 'an operation failed');
    this.send(this.format.error(shown, ref, log));
  }

  /** Only control frames may come between the fragments of an event: the rest waits behind it. */
  send(message: string | undefined): void {
    if (message === undefined) return;
    if (this.#following.isUnderway) this.#following.send(this.#frames.framing.whole([message]));
    else this.#socket.send(message);
  }
}
