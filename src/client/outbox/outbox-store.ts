/**
 * Where an outbox is kept: in memory, or in the browser's database. One contract suite runs against
 * each. Every method is one transaction, and says what it was told about the state that it expects:
 * any number of tabs may work on one store, at most one of them is right, and none does harm.
 */
import type { NewEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Entry, NewEntry, Outcome, Refusal } from './entry.ts';

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
   * Keeps an entry, and gives it the next seq of its log.
   * @throws OutboxFull, and nothing is kept
   */
  add(entry: NewEntry): Promise<Entry>;
  contents(): Promise<OutboxContents>;
  /**
   * The entry is in its log, or refused: it is taken out; a refusal is kept. Undefined when somebody has done
   * that before: then {@link outcome} says how. `seen`: the log is known up to here.
   */
  finish(key: string, outcome: Outcome, seen?: EventId): Promise<Entry | undefined>;
  /** How an entry was finished; the last 1,000 are known. */
  outcome(key: string): Promise<Outcome | undefined>;
  /**
   * All entries of a log go under a raised epoch, seqs from 0, in their order; with `id`, under that
   * producer from epoch 0.
   * @param from what the caller believes: when the log's entries are elsewhere already, nothing is changed
   * @returns the log's entries as they are now
   */
  renew(log: LogName, from: ProducerPlace, id?: string): Promise<readonly Entry[]>;
  /**
   * Fixes what a command leads to, right before it is sent: its events, and the version that they
   * were decided on. With `undefined`, it is to be decided again. Undefined when the entry is gone.
   */
  decide(
    key: string,
    decided: { readonly events: readonly NewEvent[]; readonly expected: EventId } | undefined,
  ): Promise<Entry | undefined>;
  /** A refusal has been looked at. */
  dismiss(key: string): Promise<void>;
}
