/**
 * What one connection follows, whatever it is, a socket or an event stream: may they, from where,
 * until when; how several logs share one way out; what becomes of a reader that is slow, and of
 * events that are too large to be sent at once.
 *
 *   live ─► Reader (one a log) ─► Following (one a connection) ─► Outlet: the transport's frames
 *              ▲                       │
 *              └────── drained ◄───────┘   a reader that was told to wait goes on from its cursor
 *
 * A reader holds a cursor, not events: what is delivered goes from a shared batch to the outlet.
 */
import type { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Start } from '../event/start.ts';
import type { Batch, Encoded } from '../live/batch.ts';
import type { Live } from '../live/live.ts';
import type { Sink, Subscription } from '../live/sink.ts';
import { Turns } from '../live/turns.ts';
import { presentable, protocolError } from '../protocol/problem.ts';
import type { Access } from './identity/access.ts';
import { Expiry } from './identity/expiry.ts';
import type { Identity } from './identity/identity.ts';
import { InPieces, isLarge, type PieceFormat } from './in-pieces.ts';
import type { LargeEvents } from './large-events.ts';
import type { GatewayLimits } from './limits/limits.ts';
import type { Outlet, Wire } from './outlet.ts';
import { Underway } from './underway.ts';

/** What all connections of a gateway share. */
export interface FollowingContext {
  readonly access: Access;
  readonly live: Live;
  readonly large: LargeEvents;
  readonly limits: Pick<GatewayLimits, 'maxSubscriptions'>;
}

/** The connection: what it is told. None of its functions may throw. */
export interface FollowingOwner {
  /** Whether as much waits to be sent as may. */
  readonly isFull: boolean;
  live(log: LogName, at: EventId): void;
  trimmed(log: LogName, resumeAfter: EventId): void;
  reset(log: LogName, version: EventId): void;
  /** The log is not followed any more, as it cannot be. */
  failed(log: LogName, error: MillraceError): void;
  /** Who is at the other end may not be there any longer. */
  expired(error: MillraceError): void;
  /** Half an event is out, and the other half is not to be had: nothing can follow it. */
  broken(error: unknown): void;
  /** Large events are out, and there is room for more: calls {@link Following.drained}. */
  drained(): void;
}

/** What is longer than this on the wire goes in pieces. A batch is 64 Ki characters as stored: of most languages less than that, of control characters more. */
const AT_ONCE = 262_144;

export class Following<Frame extends Encoded> {
  readonly owner: FollowingOwner;
  readonly #context: FollowingContext;
  #identity: Identity | undefined;
  readonly #outlet: Outlet<Frame>;
  readonly #wire: Wire<Frame>;
  /** Only where an identity can end before its connection. */
  #expiry: Expiry | undefined;
  // One is the rule and a hundred the limit: a list is smaller than a map.
  readonly #readers: Reader<Frame>[] = [];
  /** Those that wait until there is room. */
  #waiting: Reader<Frame>[] | undefined;
  #turns: Turns | undefined;
  /** There while events go in pieces. */
  #underway: Underway<Frame> | undefined;
  #paused = false;

  /** @param identity for whom it is; undefined in an open gateway */
  constructor(
    context: FollowingContext,
    identity: Identity | undefined,
    owner: FollowingOwner,
    outlet: Outlet<Frame>,
    wire: Wire<Frame>,
  ) {
    this.#context = context;
    this.#identity = identity;
    this.owner = owner;
    this.#outlet = outlet;
    this.#wire = wire;
    if (identity !== undefined) this.become(identity);
  }

  /** For whom it is from now on: the same account, with what it may now and until when. */
  become(identity: Identity): void {
    this.#identity = identity;
    if (this.#expiry !== undefined) this.#expiry.become(identity);
    else if (identity.expiresAt !== undefined) {
      const { access } = this.#context;
      this.#expiry = new Expiry(access, identity, (error) => this.owner.expired(error));
    }
    for (const reader of [...this.#readers]) this.#endForbidden(reader, identity);
  }

  /** What they may not read any more is not followed any more, and they are told. */
  #endForbidden(reader: Reader<Frame>, identity: Identity): void {
    try {
      this.#context.access.demand(identity, 'read', reader.log);
    } catch (error) {
      this.remove(reader);
      reader.subscription?.close();
      this.owner.failed(reader.log, presentable(error));
    }
  }

  /** Whether nothing may be delivered before {@link drained}. */
  get isFull(): boolean {
    return this.#underway !== undefined || this.owner.isFull;
  }

  /** Whether an event is half out: what else is to be sent waits behind it. */
  get isUnderway(): boolean {
    return this.#underway !== undefined;
  }

  /** Whether it is not the client that is waited for: a piece has to be had again. */
  get waitsForPiece(): boolean {
    return this.#underway?.waitsForPiece ?? false;
  }

  // Most connections follow one log: they need none.
  get turns(): Turns | undefined {
    if (this.#readers.length > 1) this.#turns ??= new Turns();
    return this.#turns;
  }

  /** @throws MillraceError when they may not, or follow it already, or too many; what `live` throws */
  follow(log: LogName, start: Start): void {
    const { access, live, limits } = this.#context;
    access.demand(this.#identity, 'read', log);
    if (this.#of(log) !== undefined) throw alreadySubscribed(log);
    if (this.#readers.length >= limits.maxSubscriptions) throw tooMany(limits.maxSubscriptions);
    const reader = new Reader(this, log);
    reader.subscription = live.subscribe(log, start, reader);
    if (this.#paused) reader.subscription.pause();
    this.#readers.push(reader);
  }

  /** @throws MillraceError `not_subscribed` */
  unfollow(log: LogName): void {
    const reader = this.#of(log);
    if (reader === undefined) {
      throw protocolError('not_subscribed', `this socket does not follow ${log}`);
    }
    this.remove(reader);
    reader.subscription?.close();
  }

  /** Delivers nothing; those that come meanwhile are paused too. */
  pause(): void {
    this.#paused = true;
    for (const reader of this.#readers) reader.subscription?.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const reader of this.#readers) reader.subscription?.resume();
  }

  /** Sends what is no event, in its turn. */
  send(frame: Frame): void {
    if (this.#underway === undefined) this.#outlet.write(frame);
    else this.#underway.behind.push(frame);
  }

  /** There is room again. Those go first that have had nothing since they were woken last, so that none starves. */
  drained(): void {
    if (this.#underway !== undefined) {
      this.#goOn(this.#underway);
      if (this.#underway !== undefined) return;
    }
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    const hungry = waiting.filter((reader) => !reader.served);
    const served = waiting.filter((reader) => reader.served);
    for (const reader of [...hungry, ...served]) {
      reader.waiting = false;
      reader.served = false;
      reader.subscription?.drained();
    }
  }

  /** Ends all subscriptions: the connection is gone. */
  close(): void {
    this.#expiry?.stop();
    this.#underway?.stop();
    this.#underway = undefined;
    for (const reader of this.#readers.splice(0)) reader.subscription?.close();
  }

  // What follows is for its readers.

  /** The reader goes on when there is room. */
  wait(reader: Reader<Frame>): void {
    if (reader.waiting) return;
    reader.waiting = true;
    this.#waiting ??= [];
    this.#waiting.push(reader);
  }

  deliver(batch: Batch): void {
    const { encode, pieces } = this.#wire;
    if (pieces === undefined) {
      this.#outlet.write(batch.encoded(encode));
      return;
    }
    if (!isLarge(batch)) {
      const frame = batch.encoded(encode);
      if (frame.length <= AT_ONCE) {
        this.#outlet.write(frame);
        return;
      }
    }
    this.#deliverInPieces(batch, pieces);
  }

  remove(reader: Reader<Frame>): void {
    const index = this.#readers.indexOf(reader);
    if (index >= 0) this.#readers.splice(index, 1);
    if (reader.waiting) this.#waiting = this.#waiting?.filter((each) => each !== reader);
  }

  #of(log: LogName): Reader<Frame> | undefined {
    return this.#readers.find((reader) => reader.log === log);
  }

  /** To a client that takes them as fast as they come, all go in this turn. */
  #deliverInPieces(batch: Batch, format: PieceFormat<Frame>): void {
    const outlet = this.#outlet;
    const pieces = new InPieces(batch, format, this.#context.large, () => outlet.isOpen);
    const underway = new Underway(pieces, outlet, (error) => {
      if (error === undefined) this.#goOnByItself(underway);
      else this.owner.broken(error);
    });
    this.#underway = underway;
    this.#goOn(underway);
  }

  /** A piece had to be had again, and is out. */
  #goOnByItself(underway: Underway<Frame>): void {
    this.#goOn(underway);
    if (this.#underway === undefined) this.owner.drained();
  }

  #goOn(underway: Underway<Frame>): void {
    if (!underway.goOn()) return;
    this.#underway = undefined;
    for (const frame of underway.behind) this.#outlet.write(frame);
  }
}

// One of these per connection, 10,000 connections: no closures, no state but this.
class Reader<Frame extends Encoded> implements Sink {
  readonly log: LogName;
  /** The subscription waits for `drained()`. */
  waiting = false;
  /** It has had a batch since it was last woken. */
  served = false;
  subscription: Subscription | undefined;
  readonly #following: Following<Frame>;

  constructor(following: Following<Frame>, log: LogName) {
    this.#following = following;
    this.log = log;
  }

  get turns(): Turns | undefined {
    return this.#following.turns;
  }

  ready(): boolean {
    if (!this.#following.isFull) return true;
    this.#following.wait(this);
    return false;
  }

  batch(batch: Batch): void {
    this.served = true;
    this.#following.deliver(batch);
  }

  live(at: EventId): void {
    this.#following.owner.live(this.log, at);
  }

  trimmed(resumeAfter: EventId): void {
    this.#following.owner.trimmed(this.log, resumeAfter);
  }

  reset(version: EventId): void {
    this.#following.owner.reset(this.log, version);
  }

  failed(error: MillraceError): void {
    this.#following.remove(this);
    this.#following.owner.failed(this.log, error);
  }
}

function alreadySubscribed(log: LogName): MillraceError {
  return protocolError(
    'already_subscribed',
    `this socket follows ${log} already; unsubscribe first to start elsewhere`,
  );
}

function tooMany(most: number): MillraceError {
  return protocolError(
    'too_many_subscriptions',
    `one socket may follow ${most} logs; unsubscribe from one, or open another socket`,
  );
}
