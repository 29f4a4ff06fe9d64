/**
 * The entries of one log, on their way. Up to 16 are under way at a time, as the gateway knows the
 * IDs of the last 16 appends of a producer; a command goes alone.
 *
 *   send ──► under way ──► answered ──┬─► settled
 *    ▲                                └─► not settled: nothing more is sent, and once nothing is
 *    └──────────── mend ◄─────────────    under way, what the first entry was told decides
 *
 * What the others were told then is only what follows from that: they are sent again. An entry that
 * may have been sent without an answer, by anybody, is `unsure`: before it goes under another seq, or
 * is handed back, the log is looked into.
 *
 * Why a late attempt cannot be applied after that look. Seqs have no gaps, so when the log says that
 * it waits for an earlier one (gap), or for a later epoch (fenced), older attempts cannot get in any
 * more; nor can one with `expected`, once the log has moved on. So the epoch is raised on such a word
 * of the gateway only. Known limit: an attempt that is refused by a rule, while an earlier one of the
 * same entry is still on its way and is not refused, is handed back and in the log.
 */
import type { Appended } from '../../event/appended.ts';
import { type EventId, isAfter, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { delayAfter } from '../../event/retries.ts';
import { isA } from '../../event/thrown.ts';
import type { Failure } from '../../protocol/problem.ts';
import { Refused } from '../errors.ts';
import { isPassing } from '../passing.ts';
import type { AttemptAnswer, GatewayLink } from '../upstream.ts';
import type { Entry, EntryCommand, Outcome } from './entry.ts';
import { lookUp, type Sighting } from './lookup.ts';
import { randomId, withMark } from './mark.ts';
import type { OutboxStore } from './outbox-store.ts';
import type { TabOutbox } from './tab-outbox.ts';

export interface LaneContext {
  readonly store: OutboxStore;
  readonly outbox: TabOutbox;
  readonly link: Pick<GatewayLink, 'append' | 'page' | 'isReady'>;
  readonly random: () => number;
  /** Whether others may be sending from this store at the same time. */
  readonly isShared: boolean;
  /** Told of what was thrown; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

const MOST_UNDER_WAY = 16;
const DELAYS = { firstDelay: 500, maxDelay: 30_000, certain: 0 };
/** How long a command that is to be decided again waits for its decider, in milliseconds. */
const DECIDER_WAIT = 3_000;
/** Less than the 7 days for which a gateway remembers a producer, in milliseconds. */
const REMEMBERED = 6 * 86_400_000;

export class Lane {
  readonly #log: LogName;
  readonly #context: LaneContext;
  readonly #underWay = new Set<string>();
  /** Until what they say has been done. */
  readonly #answers = new Map<string, { readonly entry: Entry; readonly answer: AttemptAnswer }>();
  readonly #unsure: Set<string>;
  /** What the log has been found not to have, since there is this connection. */
  readonly #missing = new Set<string>();
  #failed = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** Of the last conflict: the version that a command is to be decided on. */
  #actual: EventId | undefined;
  #waitsForDecider = false;
  /** The first of the log, known to be that, was sent once more to hear whether the gap is still there. */
  #asked: Entry | undefined;
  #isBusy = false;
  #again = false;
  #isClosed = false;

  /** @param unsure entries that were there before */
  constructor(log: LogName, context: LaneContext, unsure: readonly Entry[]) {
    this.#log = log;
    this.#context = context;
    this.#unsure = new Set(unsure.map(({ key }) => key));
  }

  /** There may be something to do. */
  wake(): void {
    this.#again = true;
    if (!this.#isBusy) void this.#work();
  }

  /** The connection is there again: what waits does so no longer. */
  hurry(): void {
    this.#failed = 0;
    this.#missing.clear();
    this.#endRest();
    this.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#endRest();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#again && this.#rest === undefined && !this.#isClosed) {
      this.#again = false;
      try {
        await this.#takeIn();
        if (this.#underWay.size === 0) {
          // The last answers may have come while others were taken in.
          await this.#takeIn();
          await this.#mend();
        }
        await this.#send();
      } catch (error) {
        // A page that cannot be had now is what a connection is like.
        if (!isA(error, Refused)) this.#context.onTrouble(error);
        this.#restFor();
      }
    }
    this.#isBusy = false;
  }

  async #takeIn(): Promise<void> {
    for (const { entry, answer } of [...this.#answers.values()]) {
      if (answer.kind !== 'appended' || answer.appended.duplicate) continue;
      this.#failed = 0;
      await this.#settle(entry, answer.appended);
    }
  }

  async #send(): Promise<void> {
    const { outbox, link } = this.#context;
    for (const first of outbox.of(this.#log)) {
      if (this.#underWay.has(first.key)) {
        if (first.command !== undefined) return;
        continue;
      }
      const isFree = this.#underWay.size < (this.#failed > 0 ? 1 : MOST_UNDER_WAY);
      if (!isFree || this.#answers.size > 0 || this.#rest || !link.isReady.get()) return;
      let entry: Entry | undefined = first;
      if (this.#needsCare(first)) {
        if (this.#underWay.size > 0) return;
        entry = await this.#prepare(first);
        if (entry === undefined || this.#isClosed) return;
      }
      this.#attempt(entry);
      if (entry.command !== undefined) return;
    }
  }

  #attempt(entry: Entry): void {
    const { key, log, events, expected, producer } = entry;
    this.#underWay.add(key);
    void this.#context.link.append({ log, events, expected, producer }).then((answer) => {
      this.#underWay.delete(key);
      this.#answers.set(key, { entry, answer });
      this.wake();
    });
  }

  /** Whether it can be sent only as the first of the log, after a look at it. */
  #needsCare(entry: Entry): boolean {
    const { command, dependsOn } = entry;
    if (command !== undefined || this.#mayBeForgotten(entry)) return true;
    if (dependsOn === undefined) return false;
    return this.#context.outbox.entry(dependsOn)?.log !== this.#log;
  }

  /** A gateway that has forgotten the producer may take a repeated seq for a new append. */
  #mayBeForgotten(entry: Entry): boolean {
    const isOld = Math.abs(Date.now() - entry.at) > REMEMBERED;
    return isOld && this.#isUnsure(entry) && !this.#missing.has(entry.key);
  }

  /** What is to be sent; undefined when it is not to be sent, or not now. */
  async #prepare(entry: Entry): Promise<Entry | undefined> {
    const { store, outbox } = this.#context;
    const { dependsOn, command } = entry;
    if (dependsOn !== undefined) {
      if (outbox.entry(dependsOn) !== undefined) return undefined;
      const outcome = await store.outcome(dependsOn);
      if (outcome?.kind === 'refused') {
        return (await this.#isKnownOf(entry)) ? undefined : this.#handBack(entry, outcome.failure);
      }
      // It may not have been heard of here yet.
      if (outcome === undefined) await outbox.resync();
      if (outbox.entry(dependsOn) !== undefined) return undefined;
    }
    if (this.#mayBeForgotten(entry)) {
      const old = outbox.of(this.#log).filter((each) => this.#mayBeForgotten(each));
      const { found, isBlind } = await this.#look(old);
      await this.#settleFound(old, found);
      if (isBlind && !found.has(entry.key)) return this.#handBack(entry, UNKNOWN);
      for (const { key } of old) this.#missing.add(key);
      // Also what has been settled is passed over then.
      this.#again = true;
      return undefined;
    }
    return command === undefined || entry.isDecided ? entry : this.#decide(entry, command);
  }

  /** Right before it is sent: what the command comes to is kept, so that a repeat is the same. */
  async #decide(entry: Entry, command: EntryCommand): Promise<Entry | undefined> {
    const { store, outbox } = this.#context;
    const { key, expected = ZERO_ID } = entry;
    const how = outbox.redeciderOf(command.decider);
    // Not known in this tab: as it was decided where it was made.
    const decision = how
      ? await how(entry, this.#actual).catch(refusedBy)
      : { events: entry.events, expected };
    if ('refused' in decision) return this.#handBack(entry, decision.refused);
    if (decision.events.length === 0) {
      await this.#settle(entry, { ids: [], version: decision.expected, duplicate: false });
      return undefined;
    }
    const events = withMark(decision.events, { id: store.clientId, key });
    const decided = await store.decide(key, { events, expected: decision.expected });
    if (decided === undefined) return this.#resync();
    outbox.changed(decided);
    this.#actual = undefined;
    return decided;
  }

  /** Nothing is under way: what has not been settled is dealt with, by what the first was told. */
  async #mend(): Promise<void> {
    if (this.#answers.size === 0) return;
    const { outbox } = this.#context;
    const isCopied = await this.#verify();
    for (const [key, { answer }] of this.#answers) {
      const mayBeThere =
        answer.kind === 'unanswered' ||
        (answer.kind === 'refused' && isPassing(answer.failure.code));
      if (!mayBeThere) continue;
      this.#unsure.add(key);
      this.#missing.delete(key);
    }
    const [first] = outbox.of(this.#log);
    const told = first && this.#answers.get(first.key);
    this.#again = true;
    if (first !== undefined && isCopied) {
      await this.#recover(first, randomId());
    } else if (first !== undefined && told !== undefined && isSamePlace(first, told.entry)) {
      // Of an attempt at another place, before somebody renewed the log, it would say nothing.
      const { answer } = told;
      if (answer.kind === 'unanswered') this.#restFor();
      else if (answer.kind === 'refused') await this.#heed(first, answer.failure);
      // It is handed back: what the next one was told counts as well.
      if (!this.#answers.has(first.key)) return;
    }
    this.#answers.clear();
  }

  async #heed(first: Entry, failure: Failure): Promise<void> {
    const { code } = failure;
    if (isPassing(code)) {
      this.#restFor(failure.retryAfter);
    } else if (code === 'producer_gap' || code === 'producer_fenced') {
      await this.#resync();
      const [now] = this.#context.outbox.of(this.#log);
      // Another tab knew better, or an entry before it had not been heard of.
      if (now?.key !== first.key || !isSamePlace(now, first)) return;
      const asked = this.#asked;
      this.#asked = first;
      // What was missing then, another tab may have sent since.
      const isStale = asked?.key !== first.key || !isSamePlace(asked, first);
      if (this.#context.isShared && isStale) return;
      if (code === 'producer_fenced') return this.#recover(now, randomId());
      // Who knows the producer has none of what it waits for; who does not may have forgotten it.
      await this.#recover(now, undefined, (failure.expectedSeq ?? 0) > 0);
    } else {
      await this.#refuse(first, failure);
    }
  }

  async #refuse(first: Entry, failure: Failure): Promise<void> {
    const { store, outbox } = this.#context;
    const { key, command } = first;
    // Then its seq was never used, so nothing behind it is in the log either.
    const isUnused = !this.#isUnsure(first) || this.#isWaitedFor(first);
    if (await this.#isKnownOf(first, isUnused)) return;
    if (command === undefined || failure.code !== 'version_conflict') {
      return this.#handBack(first, failure);
    }
    if (outbox.redeciderOf(command.decider) === undefined) {
      if (this.#waitsForDecider) {
        this.#waitsForDecider = false;
        return this.#handBack(first, failure);
      }
      this.#waitsForDecider = true;
      this.#restFor(DECIDER_WAIT);
      return;
    }
    this.#waitsForDecider = false;
    this.#actual = failure.actual;
    const open = await store.decide(key, undefined);
    if (open === undefined) return this.#resync();
    outbox.changed(open);
    this.#unsure.delete(key);
    await this.#recover(first, undefined, isUnused);
  }

  /** Whether it was finished without being refused now: it is in the log already, or nobody can know. */
  async #isKnownOf(entry: Entry, isUnused = false): Promise<boolean> {
    if (!this.#isUnsure(entry)) return false;
    const { found, isBlind } = await this.#look([entry]);
    await this.#settleFound([entry], found);
    const isDoubtful = isBlind && !isUnused && found.size === 0;
    if (isDoubtful) await this.#handBack(entry, UNKNOWN);
    return isDoubtful || found.size > 0;
  }

  /** Whether one behind it was told that the log waits for this one. */
  #isWaitedFor({ producer }: Entry): boolean {
    for (const { answer } of this.#answers.values()) {
      if (answer.kind === 'refused' && answer.failure.expectedSeq === producer.seq) return true;
    }
    return false;
  }

  /** Its seq is not used then: the next one is told so by the gap, and starts another epoch. */
  async #handBack(entry: Entry, failure: Failure): Promise<undefined> {
    await this.#finish(entry, { kind: 'refused', failure });
  }

  /**
   * The log's entries go under another epoch, once it is known which of them it has.
   * @param isUnused where the log cannot be looked into, it has none of them
   */
  async #recover(at: Entry, newId?: string, isUnused = false): Promise<void> {
    const { store, outbox, isShared } = this.#context;
    // What another tab has added here, it may have sent as well.
    if (isShared) await outbox.resync();
    const known = isShared ? new Set(outbox.of(this.#log).map(({ key }) => key)) : undefined;
    const unsure = outbox.of(this.#log).filter((entry) => this.#isUnsure(entry));
    const { found, isBlind } = await this.#look(unsure);
    await this.#settleFound(unsure, found);
    if (isBlind && !isUnused) {
      const outcome: Outcome = { kind: 'refused', failure: UNKNOWN };
      for (const entry of unsure) if (!found.has(entry.key)) await this.#finish(entry, outcome);
    }
    const { id, epoch } = at.producer;
    const renewed = await store.renew(this.#log, { id, epoch }, newId, known);
    for (const entry of renewed) outbox.changed(entry);
    this.#unsure.clear();
  }

  /**
   * A duplicate is ours when our mark is on it. Where it is not, two copies of one outbox give out
   * the same seqs.
   */
  async #verify(): Promise<boolean> {
    const told = new Map<Entry, Appended>();
    for (const { entry, answer } of this.#answers.values()) {
      if (answer.kind === 'appended') told.set(entry, answer.appended);
    }
    if (told.size === 0) return false;
    const since = earliestOf(
      [...told].map(
        ([
          { after },
          {
            ids: [id = after],
          },
        ]) => id,
      ),
    );
    const { link } = this.#context;
    const keys = new Set([...told.keys()].map(({ key }) => key));
    // By time, as that is not checked: the event may have been trimmed.
    const start = { since: Number(since.split('-')[0]) };
    const { found, isBlind, first } = await lookUp(link, this.#log, start, keys);
    const isWhole = !isBlind && first !== undefined && !isAfter(first, since);
    let isCopied = false;
    for (const [entry, appended] of told) {
      const ids = found.get(entry.key);
      // What was told is whole, also where the first events have been trimmed.
      const isTold = ids === undefined || appended.ids.length > 0;
      if (ids !== undefined) await this.#settle(entry, isTold ? appended : { ...appended, ids });
      else if (!isWhole && this.#isUnsure(entry)) await this.#settle(entry, appended);
      else isCopied = true;
    }
    return isCopied;
  }

  async #look(entries: readonly Entry[]): Promise<Sighting> {
    if (entries.length === 0) return { found: new Map(), isBlind: false, first: undefined };
    const after = earliestOf(entries.map((entry) => entry.after));
    const keys = new Set(entries.map(({ key }) => key));
    return lookUp(this.#context.link, this.#log, { after }, keys);
  }

  async #settleFound(entries: readonly Entry[], found: Sighting['found']): Promise<undefined> {
    for (const entry of entries) {
      const ids = found.get(entry.key);
      const version = ids?.at(-1);
      if (ids && version) await this.#settle(entry, { ids, version, duplicate: true });
    }
  }

  async #settle(entry: Entry, appended: Appended): Promise<void> {
    await this.#finish(entry, { kind: 'settled', appended }, appended.ids.at(-1));
  }

  async #finish({ key }: Entry, outcome: Outcome, seen?: EventId): Promise<void> {
    const { store, outbox } = this.#context;
    const entry = outbox.entry(key);
    const isMine = await store.finish(key, outcome, seen);
    const told = isMine ? outcome : ((await store.outcome(key)) ?? outcome);
    this.#answers.delete(key);
    this.#unsure.delete(key);
    this.#again = true;
    if (entry !== undefined) outbox.finished(entry, told);
  }

  async #resync(): Promise<undefined> {
    await this.#context.outbox.resync();
    this.#again = true;
  }

  #isUnsure({ key }: Entry): boolean {
    return this.#context.isShared || this.#unsure.has(key);
  }

  #restFor(least = 0): void {
    if (this.#isClosed) return;
    this.#endRest();
    this.#failed += 1;
    const delay = least + delayAfter(this.#failed, DELAYS, this.#context.random);
    this.#rest = setTimeout(() => {
      this.#endRest();
      this.wake();
    }, delay);
  }

  #endRest(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
  }
}

const UNKNOWN: Failure = {
  code: 'outcome_unknown',
  message:
    'it was sent, and the log cannot be read back to where it would be; read it, and append again what is not there',
};

/** What trying again does not mend. */
function refusedBy(error: unknown): { readonly refused: Failure } {
  if (isA(error, Refused) && !isPassing(error.failure.code)) return { refused: error.failure };
  throw error;
}

/** Undefined is the start of the log. */
function earliestOf(places: readonly (EventId | undefined)[]): EventId {
  return places
    .map((place) => place ?? ZERO_ID)
    .reduce((first, place) => (isAfter(first, place) ? place : first));
}

function isSamePlace(a: Entry, b: Entry): boolean {
  return a.producer.id === b.producer.id && a.producer.epoch === b.producer.epoch;
}
