/** A command on its way: what its caller asked for, how it is tried again, and what the caller is told. */
import type { Meta } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { pause } from '../../event/pause.ts';
import { parseRetries, type Retries, type RetryPolicy } from '../../event/retries.ts';
import type { RecordedFrom } from '../../typed/event-types.ts';
import type { CommandIdentity } from './command-id.ts';

/** All of it left to chance: those who wait want the same log. */
const CONFLICTS = { attempts: 11, firstDelay: 4, maxDelay: 1_000, certain: 0 };

/** What can be said of a single command. */
export interface CommandOptions {
  /** Goes to all events of the command, below what each has itself. */
  readonly meta?: Meta | undefined;
  /** The log as `category:id`, instead of what the decider's `log` answers. */
  readonly to?: LogName | string | undefined;
  /**
   * Names this command among all that its log has taken, 1 to 1,024 characters: however often it is
   * handled, it counts once. Once it has led to events, handling it again answers those with
   * `duplicate: true`, also if it would be refused by now; and another command under its ID is
   * refused with {@link CommandIdReused}. What differs from try to try (a time, a request's ID) belongs
   * into `meta`, not into the command. A command that led to nothing leaves no trace, and is decided
   * afresh. In another log, the ID names another command.
   *
   * The events carry it as `meta.commandId`, and what it said, as a hash, as `meta.commandHash`.
   */
  readonly commandId?: string | undefined;
  /**
   * Since when the command may have been handled: the ID of the event that caused it, or
   * milliseconds since 1970, by the clock of the store. Logs remember command IDs for 7 days; where
   * this is longer ago, the log is searched from there. Left out: it is not.
   */
  readonly since?: EventId | number | undefined;
  /** Aborted before the command's events are sent: it rejects with the signal's reason, and nothing happens. */
  readonly signal?: AbortSignal | undefined;
}

/** What a command came to. */
export interface Handled<State, Payloads extends object> {
  /** The state right after the events of the command; of a duplicate, the state now. */
  readonly state: State;
  /** The events of the command as they are in the log; of a duplicate, those of the first time that are still there. */
  readonly events: readonly RecordedFrom<Payloads>[];
  /** The version of the log that `state` belongs to. */
  readonly version: EventId;
  /** The command had been handled before; nothing was changed. */
  readonly duplicate: boolean;
}

/** A command that somebody waits for. */
export interface PendingCommand<State, Command, Payloads extends object> {
  readonly command: Command;
  readonly options: CommandOptions;
  /** Only of a command with an ID. */
  readonly identity: CommandIdentity | undefined;
  readonly resolve: (handled: Handled<State, Payloads>) => void;
  readonly reject: (error: unknown) => void;
}

/** How conflicts are answered. */
export interface RetryOptions {
  /**
   * How often a command is decided when others are faster. Default: 11 times, up to 4 ms to 1 s
   * apart, all of which is left to chance.
   */
  readonly retries?: Retries | undefined;
  /** Waits so many milliseconds, or until the signal is aborted. Default: a timer. */
  readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

export interface Retrying {
  readonly policy: RetryPolicy;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** @throws InvalidInput */
export function retrying({ retries, sleep = pause }: RetryOptions): Retrying {
  return { policy: parseRetries(retries, CONFLICTS), sleep };
}
