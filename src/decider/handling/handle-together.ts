/**
 * Commands of one log, from the decision to the answer: the one way in which they are handled, by
 * themselves (`handle`) or together with those that wait for the same log (`commandHandler`).
 *
 *   known state ──decide all──► one append, expecting the known version ──► answer each
 *        ▲                            │
 *        └── read what is new ◄───────┤ version conflict: wait a little, decide all again
 *                                     │ outcome unknown: the same append again, if it has a command ID
 */
import type { Appended } from '../../event/appended.ts';
import { InvalidInput } from '../../event/error.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Producer } from '../../event/producer.ts';
import { OutcomeUnknown, VersionConflict } from '../../event/store-errors.ts';
import type { EventLog } from '../../log/log.ts';
import type { RecordedFrom } from '../../typed/event-types.ts';
import { TooManyConflicts } from '../errors.ts';
import type { Handled, PendingCommand, Retrying } from './command.ts';
import {
  type CommandIdentity,
  eventsOf,
  mayBeForgotten,
  mustBeOf,
  probe,
  producerOf,
  searchCommand,
} from './command-id.ts';
import { type Decided, decideAll, evolveByAppended } from './decision.ts';
import type { KnownState } from './snapshots.ts';
import { loadState, type StateSource } from './state.ts';

/** All that handling commands needs beside the commands. */
export interface HandlingSource<State, Command, Payloads extends object>
  extends StateSource<State, Command, Payloads> {
  readonly eventLog: Pick<EventLog, 'append' | 'read'>;
  readonly retrying: Retrying;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** What became of commands that were handed over together. */
export interface HandledTogether<State, Command, Payloads extends object> {
  /** What is known of the log now; it may have moved on. */
  readonly known: KnownState<State> | undefined;
  /** Those that have not been answered, because there was enough for one append without them. */
  readonly left: readonly PendingCommand<State, Command, Payloads>[];
}

/**
 * Handles commands of one log in their order and answers each, but for those that are `left`.
 * Never rejects. A command with a command ID comes alone.
 * @param known what may be out of date; left out, it is read
 */
export async function handleTogether<State, Command, Payloads extends object>(
  source: HandlingSource<State, Command, Payloads>,
  log: LogName,
  commands: readonly PendingCommand<State, Command, Payloads>[],
  known?: KnownState<State>,
): Promise<HandledTogether<State, Command, Payloads>> {
  const handling = new Handling(source, log, commands, known);
  try {
    await handling.run();
  } catch (error) {
    handling.rejectAll(error);
  }
  return handling;
}

class Handling<State, Command, Payloads extends object>
  implements HandledTogether<State, Command, Payloads>
{
  known: KnownState<State> | undefined;
  left: readonly PendingCommand<State, Command, Payloads>[] = [];
  readonly #source: HandlingSource<State, Command, Payloads>;
  readonly #log: LogName;
  #commands: readonly PendingCommand<State, Command, Payloads>[];
  /** Whether `known` was read for these commands, so that a refusal can rest on it. */
  #isCurrent = false;
  #failures = 0;
  readonly #identity: CommandIdentity | undefined;
  readonly #producer: Producer | undefined;

  constructor(
    source: HandlingSource<State, Command, Payloads>,
    log: LogName,
    commands: readonly PendingCommand<State, Command, Payloads>[],
    known: KnownState<State> | undefined,
  ) {
    this.#source = source;
    this.#log = log;
    this.#commands = commands;
    this.known = known;
    const [first] = commands;
    const identity = commands.length === 1 ? first?.identity : undefined;
    this.#identity = identity;
    this.#producer = identity && producerOf(identity.commandId);
  }

  async run(): Promise<void> {
    if (await this.#wasHandledLongAgo()) return;
    for (;;) {
      this.known ??= await this.#load();
      this.#withdrawAborted();
      if (this.#commands.length === 0) return;
      const decided = decideAll(this.#source.decider, this.#log, this.known, this.#commands);
      const isSettled = decided.some(({ newEvents }) => newEvents.length > 0)
        ? await this.#append(decided)
        : await this.#appendNothing(decided);
      if (isSettled) return;
    }
  }

  rejectAll(error: unknown): void {
    for (const { reject } of this.#commands) reject(error);
  }

  /** @returns whether the commands are answered; otherwise they have to be decided again */
  async #append(decided: readonly Decided<State, Command, Payloads>[]): Promise<boolean> {
    let appended: Appended;
    try {
      appended = await this.#appendOnce(decided);
    } catch (error) {
      if (error instanceof InvalidInput && decided.length > 1) return this.#handleOneByOne();
      if (!(error instanceof VersionConflict)) throw error;
      await this.#backOff(error);
      await this.#load(this.known);
      return false;
    }
    if (appended.duplicate) await this.#answerWithFirst(appended.ids);
    else this.#answer(decided, appended.ids);
    return true;
  }

  /** Under a command ID an append can be repeated until its outcome is known. */
  async #appendOnce(decided: readonly Decided<State, Command, Payloads>[]): Promise<Appended> {
    const events = decided.flatMap(({ newEvents }) => newEvents);
    const options = { expected: this.known?.version, producer: this.#producer };
    for (;;) {
      try {
        return await this.#source.eventLog.append(this.#log, events, options);
      } catch (error) {
        if (!(error instanceof OutcomeUnknown) || this.#producer === undefined) throw error;
        await this.#backOff(error);
      }
    }
  }

  /** All were refused or led to nothing. */
  async #appendNothing(decided: readonly Decided<State, Command, Payloads>[]): Promise<boolean> {
    if (this.#producer !== undefined) {
      const ids = await this.#probe(this.#producer);
      if (ids !== undefined) {
        await this.#answerWithFirst(ids);
        return true;
      }
    }
    if (!this.#isCurrent) {
      const before = this.known?.version;
      const { version } = await this.#load(this.known);
      if (version !== before) return false;
    }
    this.#answer(decided, []);
    return true;
  }

  #answer(decided: readonly Decided<State, Command, Payloads>[], ids: readonly EventId[]): void {
    const { decider } = this.#source;
    let known = this.known!;
    let from = 0;
    const answers: [PendingCommand<State, Command, Payloads>, Handled<State, Payloads>][] = [];
    for (const { pending, encoded, refusal } of decided) {
      if (refusal !== undefined) {
        pending.reject(refusal.error);
        continue;
      }
      const own = ids.slice(from, from + encoded.length);
      from += encoded.length;
      const evolved = evolveByAppended(decider, this.#log, known, encoded, own);
      known = evolved.known;
      const { state, version } = known;
      answers.push([pending, { state, events: evolved.events, version, duplicate: false }]);
    }
    this.known = known;
    for (const [pending, handled] of answers) pending.resolve(handled);
    this.left = this.#commands.slice(decided.length);
    this.#commands = [];
  }

  async #answerWithFirst(ids: readonly EventId[]): Promise<void> {
    const { decider, eventLog } = this.#source;
    const stored = await eventsOf(eventLog, this.#log, ids);
    const [first] = stored;
    // Where they were trimmed nobody can tell, and it is taken for the same.
    if (first !== undefined && this.#identity !== undefined) {
      mustBeOf(this.#identity, this.#log, first);
    }
    const events = stored
      .map((event) => decider.read(this.#log, event))
      .filter((event): event is RecordedFrom<Payloads> => event !== undefined);
    const { state, version } = await this.#load(this.known);
    for (const { resolve } of this.#commands) resolve({ state, events, version, duplicate: true });
  }

  /** One of them has events that the log does not take; it must not harm the others. */
  async #handleOneByOne(): Promise<boolean> {
    for (const pending of this.#commands) {
      const { known } = await handleTogether(this.#source, this.#log, [pending], this.known);
      this.known = known;
    }
    return true;
  }

  async #wasHandledLongAgo(): Promise<boolean> {
    const { commandId, since } = this.#commands[0]?.options ?? {};
    if (commandId === undefined || since === undefined) return false;
    if (!mayBeForgotten(since, this.#source.clock())) return false;
    const ids = await searchCommand(this.#source.eventLog, this.#log, commandId, since);
    if (ids !== undefined) await this.#answerWithFirst(ids);
    return ids !== undefined;
  }

  async #probe(producer: Producer): Promise<readonly EventId[] | undefined> {
    for (;;) {
      try {
        return await probe(this.#source.eventLog, this.#log, producer);
      } catch (error) {
        if (!(error instanceof OutcomeUnknown)) throw error;
        await this.#backOff(error);
      }
    }
  }

  async #load(from?: KnownState<State>): Promise<KnownState<State>> {
    this.known = await loadState(this.#source, this.#log, from);
    this.#isCurrent = true;
    return this.known;
  }

  async #backOff(error: VersionConflict | OutcomeUnknown): Promise<void> {
    const { policy, sleep } = this.#source.retrying;
    this.#failures += 1;
    if (this.#failures >= policy.attempts) {
      if (error instanceof OutcomeUnknown) throw error;
      throw new TooManyConflicts(this.#log, this.#failures, error);
    }
    const [first, ...others] = this.#commands;
    const signal = others.length === 0 ? first?.options.signal : undefined;
    await sleep(policy.delayAfter(this.#failures), signal);
    signal?.throwIfAborted();
  }

  #withdrawAborted(): void {
    const isAborted = ({ options }: PendingCommand<State, Command, Payloads>) =>
      options.signal?.aborted === true;
    if (!this.#commands.some(isAborted)) return;
    for (const pending of this.#commands) {
      if (isAborted(pending)) pending.reject(pending.options.signal?.reason);
    }
    this.#commands = this.#commands.filter((pending) => !isAborted(pending));
  }
}
