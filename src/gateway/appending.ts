/**
 * An append, whatever it came over: may they, whose events are these, do they come too often, is
 * there room for it. A transport reads it, hands it over, and writes down what came of it.
 *
 *   read already (a socket)   may they, whose ─► room ─► rate ─► log     a refusal is charged too
 *   not read yet (HTTP)       may they at all ─► rate ─► read ─► may they, whose ─► log
 *
 * What counts against the rate is the attempt: to read and parse what is refused is most of the work.
 */
import type { Appended } from '../event/appended.ts';
import type { NewEvent } from '../event/event.ts';
import type { LogName } from '../event/log-name.ts';
import type { AppendOptions, EventLog } from '../log/log.ts';
import type { Access } from './identity/access.ts';
import type { Identity } from './identity/identity.ts';
import { sentBy } from './identity/sender.ts';
import type { AppendRate } from './limits/append-rate.ts';
import type { InMemory } from './limits/in-memory.ts';

/** Who appends. */
export interface Sender {
  /** Undefined in an open gateway. */
  readonly identity: Identity | undefined;
  /** Whose rate it counts against. */
  readonly spender: string;
}

/** What is to be appended, as a client sent it. */
export interface SentEvents extends AppendOptions {
  readonly events: readonly NewEvent[];
}

export interface AppendingContext {
  readonly log: EventLog;
  readonly access: Access;
  readonly appendRate: AppendRate;
  readonly inMemory: InMemory;
}

export class Appending {
  readonly #context: AppendingContext;

  constructor(context: AppendingContext) {
    this.#context = context;
  }

  /**
   * Appends what was read already. It takes `bytes` until {@link answered}, which is to be called
   * however the promise settles.
   * @throws at once, what refuses it: MillraceError `forbidden`, `overloaded`, and then it takes
   *   nothing. What comes later (`rate_limited`, the log's refusals) rejects.
   */
  append(sender: Sender, log: LogName, sent: SentEvents, bytes: number): Promise<Appended> {
    const { appendRate, inMemory } = this.#context;
    const { expected, producer } = sent;
    let events: readonly NewEvent[];
    try {
      events = this.#eventsOf(sender, log, sent);
      inMemory.take(bytes);
    } catch (error) {
      this.chargeRefused(sender);
      throw error;
    }
    return appendRate.spend(sender.spender, () =>
      this.#context.log.append(log, events, { expected, producer }),
    );
  }

  /** The client has its answer to an append that took so many bytes. */
  answered(bytes: number): void {
    this.#context.inMemory.giveBack(bytes);
  }

  /**
   * Appends what is still to be read, by `read`, which hands it on. Who may not append there at all
   * is not read from. What it takes meanwhile, `read` counts.
   */
  async appendUnread(
    sender: Sender,
    log: LogName,
    read: (append: (sent: SentEvents) => Promise<Appended>) => Promise<Appended>,
  ): Promise<Appended> {
    const { access, appendRate } = this.#context;
    access.demand(sender.identity, 'append', log);
    // Not async: what was parsed can be ten times its text, and must not be kept while the store works.
    const append = (sent: SentEvents): Promise<Appended> => {
      const { expected, producer } = sent;
      const events = this.#eventsOf(sender, log, sent);
      return this.#context.log.append(log, events, { expected, producer });
    };
    return appendRate.spend(sender.spender, () => read(append));
  }

  /** What cannot even be read as an append counts as one. */
  chargeRefused({ spender }: Sender): void {
    this.#context.appendRate.spend(spender, nothing).catch(nothing);
  }

  /** @throws MillraceError when they may not append them */
  #eventsOf({ identity }: Sender, log: LogName, sent: SentEvents): readonly NewEvent[] {
    this.#context.access.demand(identity, 'append', log, sent.events);
    return sentBy(identity, log, sent);
  }
}

async function nothing(): Promise<void> {}
