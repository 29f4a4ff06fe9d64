/**
 * A gateway, a connection to it that loses, delays and repeats, a store that fails, and tabs that die
 * between any two steps of theirs: what an outbox has to get through. Chance decides, by a seed.
 */

import { Refused } from '../../src/client/errors.ts';
import type { ToAppend } from '../../src/client/outbox/appends.ts';
import type { Entry, Outcome } from '../../src/client/outbox/entry.ts';
import { markOf } from '../../src/client/outbox/mark.ts';
import { MemoryOutbox } from '../../src/client/outbox/memory-outbox.ts';
import type { OutboxStore } from '../../src/client/outbox/outbox-store.ts';
import { startSender } from '../../src/client/outbox/sender.ts';
import { TabOutbox } from '../../src/client/outbox/tab-outbox.ts';
import { Changing } from '../../src/client/readable.ts';
import type { AppendAttempt, AttemptAnswer, ClientStart } from '../../src/client/upstream.ts';
import { MillraceError } from '../../src/event/error.ts';
import type { NewEvent } from '../../src/event/event.ts';
import { cursorBefore, type EventId, ZERO_ID } from '../../src/event/event-id.ts';
import type { LogName } from '../../src/event/log-name.ts';
import { ProducerFenced, ProducerGap } from '../../src/event/store-errors.ts';
import type { EventsPage } from '../../src/protocol/page.ts';
import { detailsOf, type Failure } from '../../src/protocol/problem.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/** What happens besides. Not all of it at once, as not all of it can be made good together. */
export interface Troubles {
  /** Attempts of a broken connection are applied later. */
  readonly ghosts: boolean;
  /** Another copy of the outbox appends under the same producer. */
  readonly copies: boolean;
  readonly trims: boolean;
  /** For a while nothing may be appended. */
  readonly bans: boolean;
  /** How many tabs send from the store at the same time. */
  readonly senders: number;
}

export const LOGS = ['account:1', 'room:5'] as LogName[];
export const FORBIDDEN = 'Forbidden';
export const COUNTED = 'Counted';

interface Waiting {
  readonly attempt: AppendAttempt;
  readonly answer: (answer: AttemptAnswer) => void;
}

/** One event that the gateway has applied, whatever became of it later. */
export interface Applied {
  readonly id: EventId;
  readonly key: string | undefined;
  readonly type: string;
  readonly payload: unknown;
}

export class Gateway {
  readonly log = new MemoryLog({ clock: () => Date.now() });
  readonly applied = new Map<LogName, Applied[]>(LOGS.map((log) => [log, []]));
  isBanned = false;

  async append({ log, events, expected, producer }: AppendAttempt): Promise<AttemptAnswer> {
    if (this.isBanned || events.some(({ type }) => type === FORBIDDEN)) {
      return refused({ code: 'forbidden', message: 'you may not do that' });
    }
    try {
      const appended = await this.log.append(log, events, { expected, producer });
      if (!appended.duplicate) this.#note(log, events, appended.ids);
      return { kind: 'appended', appended };
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      const { code, message } = error;
      return refused({ code, message, ...detailsOf(error) });
    }
  }

  /** Of somebody else, with a mark of theirs. */
  async foreign(log: LogName, producer?: AppendAttempt['producer']): Promise<void> {
    const event = { type: 'Foreign', payload: 1, meta: { client: { id: 'x', key: 'foreign' } } };
    try {
      const { ids, duplicate } = await this.log.append(log, [event], { producer });
      if (!duplicate) this.#note(log, [event], ids);
    } catch (error) {
      if (!(error instanceof ProducerGap || error instanceof ProducerFenced)) throw error;
    }
  }

  async page(log: LogName, start: ClientStart): Promise<EventsPage> {
    if (start === 'now' || 'last' in start) throw new Error('nobody asks for that');
    const after = 'after' in start ? start.after : cursorBefore(start.since);
    const unchecked = 'since' in start;
    // Small, so that appends lie on several.
    const read = await this.log.read(log, { after, unchecked, limit: 3 });
    const { events, more, version, standing } = read;
    if (standing.state === 'trimmed') {
      const { resumeAfter } = standing;
      throw new Refused({ code: 'trimmed', message: 'trimmed', resumeAfter, version });
    }
    if (standing.state === 'reset') throw new Refused({ code: 'reset', message: 'reset', version });
    return { log, events, more, version, cursor: events.at(-1)?.id ?? after };
  }

  #note(log: LogName, events: readonly NewEvent[], ids: readonly EventId[]): void {
    const applied = this.applied.get(log)!;
    for (const [index, { type, payload, meta }] of events.entries()) {
      applied.push({ id: ids[index]!, key: markOf({ meta })?.key, type, payload });
    }
  }
}

function refused(failure: Failure): AttemptAnswer {
  return { kind: 'refused', failure };
}

/** A tab: its view of the outbox, its sender, and its connection. Everything dies with it. */
export class Tab {
  readonly outbox: TabOutbox;
  readonly isReady = new Changing(true);
  readonly #world: OutboxWorld;
  #line: Waiting[] = [];
  #answers: (() => void)[] = [];
  /** Who waits for an answer, whether the attempt has reached the gateway or not. */
  readonly #open = new Set<Waiting['answer']>();
  readonly #end: () => void;
  /** So many steps of the store until it is dead. */
  #fuse = Number.POSITIVE_INFINITY;

  constructor(world: OutboxWorld) {
    this.#world = world;
    const store = this.#mortal(world.store);
    this.outbox = new TabOutbox({ store: Promise.resolve(store) });
    this.outbox.redecide('counter', (entry) => world.decide(entry));
    this.#end = startSender({
      store,
      outbox: this.outbox,
      link: {
        isReady: this.isReady,
        append: (attempt) =>
          new Promise((resolve) => {
            const answer = (given: AttemptAnswer) => {
              this.#open.delete(answer);
              resolve(given);
            };
            if (!this.isReady.get()) return answer({ kind: 'unanswered' });
            this.#open.add(answer);
            this.#line.push({ attempt, answer });
          }),
        page: async (log, start) => {
          const isAway = !this.isReady.get() || world.happens(0.1);
          if (isAway) throw new Refused({ code: 'unavailable', message: 'away' });
          return world.gateway.page(log, start);
        },
      },
      random: world.random.next,
      isShared: world.troubles.senders > 1,
      onTrouble: (error) => {
        if (!String(error).includes('the store fails')) world.complaints.push(String(error));
      },
    });
  }

  get isDead(): boolean {
    return this.#fuse <= 0;
  }

  get isIdle(): boolean {
    return this.#line.length + this.#answers.length === 0;
  }

  light(steps: number): void {
    this.#fuse = steps;
  }

  /** The gateway takes the next attempt. */
  async deliver(): Promise<void> {
    const next = this.#line.shift();
    if (next === undefined) return;
    const { attempt, answer } = next;
    const { random, gateway } = this.#world;
    const isRough = this.#world.happens(0.1);
    const passing = { message: 'not now', ...random.pick(PASSING) };
    if (isRough && passing.code !== 'outcome_unknown') {
      this.#answers.push(() => answer(refused(passing)));
      return;
    }
    const given = await gateway.append(attempt);
    this.#answers.push(() => answer(isRough ? refused(passing) : given));
  }

  /** The next answer arrives. */
  answer(): void {
    const { length } = this.#answers;
    if (length === 0) return;
    // Those of several appends come in any order.
    const [next] = this.#answers.splice(this.#world.random.between(0, Math.min(1, length - 1)), 1);
    next!();
  }

  async cut(): Promise<void> {
    const line = this.#line;
    const reached = line.slice(0, this.#world.random.between(0, line.length));
    this.#line = [];
    this.#answers = [];
    if (this.#world.troubles.ghosts) this.#world.ghosts.push(...reached.map((one) => one.attempt));
    else for (const { attempt } of reached) await this.#world.gateway.append(attempt);
    // What was sent meanwhile went nowhere.
    this.#line = [];
    this.isReady.set(false);
    for (const answer of [...this.#open]) answer({ kind: 'unanswered' });
  }

  connect(): void {
    this.isReady.set(true);
  }

  /** As when the tab is closed: nobody hears of anything. */
  async die(): Promise<void> {
    this.#fuse = 0;
    this.#end();
    this.outbox.close();
    await this.cut();
  }

  /** Every step may fail, before or after it is done; and of the dead one hears nothing. */
  #mortal(store: OutboxStore): OutboxStore {
    const step = async <Answer>(does: () => Promise<Answer>): Promise<Answer> => {
      const isAfter = this.#world.happens(0.5);
      this.#fuse -= 1;
      if (this.isDead && !isAfter) return new Promise(() => {});
      const fails = this.#world.happens(0.03);
      if (fails && !isAfter) throw new Error('the store fails');
      const answer = await does();
      if (this.isDead) return new Promise(() => {});
      if (fails) throw new Error('the store fails');
      return answer;
    };
    return {
      clientId: store.clientId,
      add: (entry) => store.add(entry),
      contents: () => step(() => store.contents()),
      finish: (...args) => step(() => store.finish(...args)),
      outcome: (...args) => step(() => store.outcome(...args)),
      renew: (...args) => step(() => store.renew(...args)),
      decide: (...args) => step(() => store.decide(...args)),
      dismiss: (...args) => step(() => store.dismiss(...args)),
    };
  }
}

const PASSING: { code: string; retryAfter?: number }[] = [
  { code: 'unavailable' },
  { code: 'rate_limited', retryAfter: 400 },
  { code: 'outcome_unknown' },
];

/** What was appended, and what its tab was told of it. */
export interface Deed {
  readonly key: string;
  readonly what: ToAppend;
  told?: Outcome | undefined;
}

export class OutboxWorld {
  readonly random: SeededRandom;
  readonly troubles: Troubles;
  readonly gateway = new Gateway();
  readonly store = new MemoryOutbox();
  readonly deeds: Deed[] = [];
  readonly complaints: string[] = [];
  ghosts: AppendAttempt[] = [];
  tabs: Tab[];
  isCalm = false;

  constructor(random: SeededRandom, troubles: Troubles) {
    this.random = random;
    this.troubles = troubles;
    this.tabs = Array.from({ length: troubles.senders }, () => new Tab(this));
  }

  happens(chance: number): boolean {
    return this.random.next() < (this.isCalm ? 0 : chance);
  }

  /** Counts the events of the log: right only on the version that it says. */
  async decide({ log, command }: Entry) {
    const { version } = await this.gateway.log.read(log, { limit: 0 });
    const payload = this.gateway.applied.get(log)!.length;
    const wish = command?.command;
    if (wish === 'refuse') return { refused: { code: 'not_now', message: 'by the rules' } };
    const event = { type: COUNTED, payload };
    return { events: wish === 'nothing' ? [] : [event], expected: version };
  }

  append(): void {
    const { random } = this;
    const log = random.pick(LOGS);
    const type = random.next() < 0.15 ? FORBIDDEN : 'Said';
    const count = random.between(1, 3);
    const events = Array.from({ length: count }, (_, payload) => ({ type, payload }));
    const before = this.deeds.length > 0 && random.next() < 0.15 ? random.pick(this.deeds) : null;
    const kind = random.next();
    const last = this.gateway.applied.get(log)!.at(-1)?.id ?? ZERO_ID;
    const what: ToAppend = {
      log,
      events: kind < 0.2 ? [{ type: COUNTED, payload: -1 }] : events,
      ...(before !== null && { dependsOn: before.key }),
      ...(kind < 0.3 && { expected: last }),
      ...(kind < 0.2 && {
        command: { decider: 'counter', command: random.pick(['do', 'do', 'nothing', 'refuse']) },
      }),
    };
    const sending = random.pick(this.tabs).outbox.append(what);
    const deed: Deed = { key: sending.key, what };
    this.deeds.push(deed);
    sending.then(
      (appended) => {
        deed.told = { kind: 'settled', appended };
      },
      (error: Refused) => {
        // Told as it dies: that says nothing of how it goes on.
        if (error.failure.code === 'closed') return;
        deed.told = { kind: 'refused', failure: error.failure };
      },
    );
  }

  async ghost(): Promise<void> {
    const ghost = this.ghosts.shift();
    if (ghost !== undefined) await this.gateway.append(ghost);
  }

  /** Another copy of the outbox has gone on by itself. */
  async copy(): Promise<void> {
    const { entries } = await this.store.contents();
    if (entries.length === 0) return;
    const { log, producer } = this.random.pick(entries);
    const { id, epoch, seq } = producer;
    const isAhead = this.random.next() < 0.5;
    const at = isAhead ? { epoch: epoch + 1, seq: 0 } : { epoch, seq };
    await this.gateway.foreign(log, { id, ...at });
  }

  async replaceTheDead(): Promise<void> {
    for (const [index, tab] of this.tabs.entries()) {
      if (!tab.isDead) continue;
      await tab.die();
      this.tabs[index] = new Tab(this);
    }
  }
}
