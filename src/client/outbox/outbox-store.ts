/**
 * Where an outbox is kept: in memory, or in the browser's database. One contract suite runs against
 * each. Every method is one transaction, and says what it was told about the state that it expects:
 * any number of tabs may work on one store, at most one of them is right, and none does harm.
 */
import type { NewEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Entry, NewEntry, Outcome, Refusal } from './entry.ts';

/** How much an outbox holds. Beyond that nothing is added; what is there already may still change. */
export interface OutboxLimits {
  readonly maxEntries: number;
  /** Of events, together. */
  readonly maxBytes: number;
}

export const DEFAULT_OUTBOX_LIMITS: OutboxLimits = { maxEntries: 1_000, maxBytes: 4_194_304 };

/** How many refusals and outcomes are kept; the oldest go first. */
export const MAX_REFUSALS = 100;
export const MAX_OUTCOMES = 1_000;

export interface OutboxContents {
  /** In their order. */
  readonly entries: readonly Entry[];
  /** In their order; at most 100, the oldest go first. */
  readonly refusals: readonly Refusal[];
}

/** Under which producer and epoch the entries of a log are. */
export interface ProducerPlace {
  readonly id: string;
  readonly epoch: number;
}

export interface OutboxStore {
  /** The ID that marks all events of this device: random, made when the store is first opened. */
  readonly clientId: string;
  /**
   * Keeps an entry, and gives it the next seq of its log. It will be looked for after what is known
   * of the log already, where that is later than its `after`.
   * @throws OutboxFull, and nothing is kept
   */
  add(entry: NewEntry): Promise<Entry>;
  contents(): Promise<OutboxContents>;
  /**
   * The entry is in its log, or refused: it is taken out; a refusal is kept. Undefined when somebody has done
   * that before: then {@link outcome} says how. `seen`: the log is known up to here, and what is
   * not in it yet will come later: the `after` of its entries, and of those to come, is no earlier
   * (noted once for the log, not with each of them). That holds, and counts, only when the entry is
   * the first of its log: those before it may be in the log already, unknown to the caller.
   */
  finish(key: string, outcome: Outcome, seen?: EventId): Promise<Entry | undefined>;
  /** How an entry was finished; the last 1,000 are known. */
  outcome(key: string): Promise<Outcome | undefined>;
  /**
   * All entries of a log, and those to come, go under a raised epoch, seqs from 0, in their order;
   * with `id`, under that producer from epoch 0. Also of a log that has no entries now.
   * @param from what the caller believes: when the log's entries are elsewhere already, nothing is changed
   * @param known keys: when the log has an entry besides, nothing is changed. Undefined: whatever it has
   * @returns the log's entries as they are now
   */
  renew(
    log: LogName,
    from: ProducerPlace,
    id?: string,
    known?: ReadonlySet<string>,
  ): Promise<readonly Entry[]>;
  /**
   * Fixes what a command leads to, right before it is sent: its events, and the version that they
   * were decided on. With `undefined`, it is to be decided again, and keeps its events until then. Undefined when the entry is gone.
   */
  decide(
    key: string,
    decided: { readonly events: readonly NewEvent[]; readonly expected: EventId } | undefined,
  ): Promise<Entry | undefined>;
  /** A refusal has been looked at. */
  dismiss(key: string): Promise<void>;
}
