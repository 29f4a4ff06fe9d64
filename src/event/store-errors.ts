/** What can go wrong with a log. The codes are part of the wire protocols. */
import { MillraceError } from './error.ts';
import type { EventId } from './event-id.ts';
import type { LogName } from './log-name.ts';

/** The log has moved on from the version that the caller decided on. Nothing was appended. */
export class VersionConflict extends MillraceError {
  readonly log: LogName;
  readonly expected: EventId;
  /** The version that the log has. */
  readonly actual: EventId;

  constructor(log: LogName, expected: EventId, actual: EventId) {
    super(
      'version_conflict',
      `${log} is at version ${actual}, not at the expected ${expected}; read what came in between, decide again, append again`,
    );
    this.log = log;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The producer's sequence number skips one or more appends. Nothing was appended. */
export class ProducerGap extends MillraceError {
  /** The sequence number that the log waits for. */
  readonly expectedSeq: number;

  constructor(producerId: string, seq: number, expectedSeq: number) {
    super(
      'producer_gap',
      `producer ${producerId} sent seq ${seq}, but the log has its appends up to ${expectedSeq - 1}; send seq ${expectedSeq} next`,
    );
    this.expectedSeq = expectedSeq;
  }
}

/** A newer epoch of the same producer has appended: this one is out of date. Nothing was appended. */
export class ProducerFenced extends MillraceError {
  /** The epoch that holds now. */
  readonly currentEpoch: number;

  constructor(producerId: string, epoch: number, currentEpoch: number) {
    super(
      'producer_fenced',
      `producer ${producerId} has moved on to epoch ${currentEpoch}; epoch ${epoch} may no longer append`,
    );
    this.currentEpoch = currentEpoch;
  }
}

/** The store could not be reached, or refused to work. What was asked for did not happen. */
export class Unavailable extends MillraceError {
  constructor(reason: string, options?: ErrorOptions) {
    super(
      'unavailable',
      `the store is not available (${reason}); nothing was changed, try again`,
      options,
    );
  }
}

/**
 * The append was sent and never answered: it may have happened. Only an append with a producer
 * may be repeated as it is, and answers `duplicate` when it had happened; without one, read the
 * log to find out.
 */
export class OutcomeUnknown extends MillraceError {
  constructor(reason: string, options?: ErrorOptions, what = 'the append') {
    super(
      'outcome_unknown',
      `${what} was sent but not answered (${reason}); it may have happened`,
      options,
    );
  }
}

/** Something that is no log has the log's key, or one of its companions. */
export class WrongType extends MillraceError {
  constructor(
    key: string,
    message = `${key} holds something that is not what a log keeps there; put back what was there, or remove it`,
  ) {
    super('wrong_type', message);
  }
}

/** The log has no ID left to give out. */
export class LogFull extends MillraceError {
  constructor(log: LogName) {
    super('log_full', `${log} has given out its last possible event ID`);
  }
}

/** The log, or what it belongs to, was closed by its owner. */
export class Closed extends MillraceError {
  constructor(what = 'the event log') {
    super('closed', `${what} has been closed`);
  }
}

/** What was done is not known any more. Nothing is done, as all would be done twice. */
export class ProgressLost extends MillraceError {
  /**
   * @param who whose progress, with its kind
   * @param key where it was
   * @param all what else has to go for it to begin anew
   */
  constructor(who: string, key: string, all: string) {
    super(
      'progress_lost',
      `what ${who} has done is not known: ${key} is gone, or another one; put it back, or, to have it begin anew, stop it and remove ${all}`,
    );
  }
}
