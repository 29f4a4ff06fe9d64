/** What can go wrong when a command is handled, beside what the log itself reports. */
import { MillraceError } from '../event/error.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { VersionConflict } from '../event/store-errors.ts';

/**
 * Others appended to the log before each of the attempts. Nothing was appended; the command can be
 * handled again. `cause` is the last conflict.
 */
export class TooManyConflicts extends MillraceError {
  readonly log: LogName;
  /** How often it was tried. */
  readonly attempts: number;
  /** The last conflict. */
  readonly conflict: VersionConflict;

  constructor(log: LogName, attempts: number, conflict: VersionConflict) {
    super(
      'too_many_conflicts',
      `others appended to ${log} before each of ${attempts} attempts; nothing was appended, handle the command again (a commandHandler queues the commands of one process)`,
      { cause: conflict },
    );
    this.log = log;
    this.attempts = attempts;
    this.conflict = conflict;
  }
}

/**
 * Events that are needed were trimmed: the state cannot be computed, or it cannot be told whether a
 * command was handled before. Nothing was changed.
 */
export class StateLost extends MillraceError {
  readonly log: LogName;
  /** Through which ID the log has lost its events. */
  readonly trimmed: EventId;

  constructor(log: LogName, trimmed: EventId, consequence: string) {
    super('state_lost', `${log} was trimmed through ${trimmed}: ${consequence}`);
    this.log = log;
    this.trimmed = trimmed;
  }
}

/**
 * Another command has led to events under this ID, on the same log. Nothing was changed. Whoever
 * repeats a command repeats it as it was; each new one gets an ID of its own.
 */
export class CommandIdReused extends MillraceError {
  readonly log: LogName;
  readonly commandId: string;

  constructor(log: LogName, commandId: string) {
    super(
      'command_id_reused',
      `another command was handled in ${log} under the same commandId; nothing was changed: repeat a command as it was (what differs each time belongs into meta), and give another one its own ID`,
    );
    this.log = log;
    this.commandId = commandId;
  }
}

/** As many commands wait for this log as may wait. Nothing was changed; try again in a while. */
export class QueueFull extends MillraceError {
  readonly log: LogName;

  constructor(log: LogName, limit: number) {
    super('queue_full', `${limit} commands wait for ${log} already; try again in a while`);
    this.log = log;
  }
}
