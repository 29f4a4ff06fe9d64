/**
 * Snapshots: what the events of a log came to at some version, so that not all of them have to be
 * read again. A snapshot is never the truth: one that is broken, was made by another `evolve`, or
 * that the log does not go on from, counts as absent and is written anew.
 *
 *   snapshot:{log}:{decider}, as in snapshot:account:1:account
 *     { "version": "1526919030474-55", "evolve": "…", "state": … }
 */
import { InvalidInput } from '../../event/error.ts';
import { type EventId, isAfter, isEventId, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { jsonValueRule, lostInJson } from '../../event/lost-in-json.ts';
import { WrongType } from '../../event/store-errors.ts';
import { isA } from '../../event/thrown.ts';
import type { Notice } from '../../metrics/notice.ts';
import { type NoticeOptions, observer } from '../../metrics/observer.ts';
import type { Records } from '../../records/records.ts';
import type { Decider } from '../decider.ts';
import { kept, ownInitial } from '../kept-state.ts';

const DEFAULT_EVERY = 100;
/** How often others may write a snapshot under our hands before we leave it to them. */
const MAX_SWAPS = 3;

/** A state and the version that the log had with it. Never changed. */
export interface KnownState<State> {
  readonly state: State;
  readonly version: EventId;
  /** How many events it has been evolved by since its snapshot. */
  readonly sinceSnapshot: number;
}

/** The state of a log without events. */
export function initialState<State>(decider: { readonly initial: State }): KnownState<State> {
  return { state: ownInitial(decider.initial), version: ZERO_ID, sinceSnapshot: 0 };
}

/**
 * Where snapshots are kept, and when they are made. `onNotice` is told when one could not be written
 * (the store failed, the state is not JSON any more); the command is not harmed.
 */
export interface SnapshotOptions extends NoticeOptions {
  readonly records: Pick<Records, 'get' | 'compareAndSet'>;
  /** After how many events there is another snapshot; a whole number from 1. Default 100. */
  readonly every?: number | undefined;
}

export class Snapshots<State> {
  readonly #records: SnapshotOptions['records'];
  readonly #every: number;
  readonly #notice: (notice: Notice) => void;
  readonly #decider: Pick<Decider<State, never, never>, 'name' | 'version' | 'formerVersion'>;

  /** @throws InvalidInput when the initial state is not JSON */
  constructor(
    options: SnapshotOptions,
    decider: Pick<Decider<State, never, never>, 'name' | 'version' | 'formerVersion' | 'initial'>,
  ) {
    const { records, every = DEFAULT_EVERY } = options;
    if (!Number.isSafeInteger(every) || every < 1) {
      throw new InvalidInput('snapshots.every', 'must be a whole number from 1');
    }
    mustBeJson(decider.initial);
    this.#records = records;
    this.#every = every;
    this.#notice = noticeOf(options, decider);
    this.#decider = decider;
  }

  /** @throws Unavailable, Closed */
  async read(log: LogName): Promise<KnownState<State> | undefined> {
    try {
      return this.#parse(await this.#records.get(this.#key(log)));
    } catch (error) {
      if (isA(error, WrongType)) return undefined;
      throw error;
    }
  }

  /**
   * Writes a snapshot if there are enough events since the last.
   * @param refused the version of a snapshot that the log does not go on from
   * @returns the state as it is known then; never throws
   */
  async saveIfDue(
    log: LogName,
    known: KnownState<State>,
    refused?: EventId,
  ): Promise<KnownState<State>> {
    if (!this.isDue(known)) return known;
    try {
      await this.#save(log, known, refused);
    } catch (error) {
      this.#notice({ what: 'snapshot', by: `the decider ${this.#decider.name}`, log, error });
    }
    return { ...known, sinceSnapshot: 0 };
  }

  isDue({ sinceSnapshot }: KnownState<State>): boolean {
    return sinceSnapshot >= this.#every;
  }

  async #save(
    log: LogName,
    { state, version }: KnownState<State>,
    refused: EventId | undefined,
  ): Promise<void> {
    mustBeJson(state);
    const key = this.#key(log);
    const next = JSON.stringify({ version, evolve: this.#decider.version, state });
    let current = await this.#records.get(key);
    for (let swaps = 0; swaps < MAX_SWAPS; swaps += 1) {
      // Never back: the log may have been trimmed up to the newer one.
      const known = this.#parse(current);
      const mayGo = known === undefined || known.version === refused;
      if (!mayGo && !isAfter(version, known.version)) return;
      const outcome = await this.#records.compareAndSet(key, current, next);
      if (outcome.swapped) return;
      current = outcome.actual;
    }
  }

  #key(log: LogName): string {
    return `snapshot:${log}:${this.#decider.name}`;
  }

  #parse(text: string | null): KnownState<State> | undefined {
    if (text === null) return undefined;
    let snapshot: unknown;
    try {
      snapshot = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (typeof snapshot !== 'object' || snapshot === null || !('state' in snapshot))
      return undefined;
    const { version, evolve, state } = snapshot as Record<string, unknown>;
    if (typeof version !== 'string' || !isEventId(version)) return undefined;
    const { version: current, formerVersion } = this.#decider;
    if (evolve !== current && (evolve === undefined || evolve !== formerVersion)) return undefined;
    return { state: kept(state as State), version: version as EventId, sinceSnapshot: 0 };
  }
}

/** By `onNotice`, or else by decider: `handle` has new snapshots for each command, and no more is told for that. */
const notices = new WeakMap<object, (notice: Notice) => void>();

function noticeOf({ onNotice }: NoticeOptions, decider: object): (notice: Notice) => void {
  const key = onNotice ?? decider;
  let notice = notices.get(key);
  if (notice === undefined) {
    notice = observer({ onNotice }).notice;
    notices.set(key, notice);
  }
  return notice;
}

function mustBeJson(state: unknown): void {
  const lost = lostInJson(state);
  if (lost === undefined) return;
  throw new InvalidInput(lost, jsonValueRule('for snapshots'));
}
