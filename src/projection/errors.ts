/** Why a projection, or a reaction, does not go on. */
import { MillraceError } from '../event/error.ts';
import type { Meta, StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { OutcomeUnknown, Unavailable } from '../event/store-errors.ts';
import { isA, kindAndPlace, textOf } from '../event/thrown.ts';

/** Which event it was; never what is in it. */
export interface EventPlace {
  readonly log: LogName;
  readonly id: EventId;
  readonly type: string;
  /** Says who wrote it. */
  readonly meta: Meta | undefined;
}

export function placeOf(log: LogName, { id, type, meta }: StoredEvent): EventPlace {
  return { log, id, type, meta };
}

/**
 * An event could not be handled, also when that was tried again. All events before it count, and
 * it does not. `cause` is what the handler threw; the message has nothing of the payload.
 */
export class ProjectionFailed extends MillraceError {
  /** Of the projection or reaction. */
  readonly projection: string;
  readonly log: LogName;
  readonly id: EventId;
  readonly type: string;

  constructor(projection: string, { log, id, type }: EventPlace, cause: unknown) {
    super(
      'projection_failed',
      `${projection} cannot handle the event ${id} (${type}) in ${log}: ${reasonOf(cause)}; correct what handles it and start again, or leave such events out with onError: 'skip'`,
      { cause },
    );
    this.projection = projection;
    this.log = log;
    this.id = id;
    this.type = type;
  }
}

/** The feed has lost events that were counted already: the store lost its tail, or was restored. */
export class FeedReset extends MillraceError {
  constructor(projection: string) {
    super(
      'feed_reset',
      `${projection} knows events that the store has lost; compute it anew from what there is by raising its version (of a reaction: by giving it another name)`,
    );
  }
}

/** Events were trimmed away before they were read. */
export class FeedTrimmed extends MillraceError {
  constructor(projection: string, log?: LogName) {
    super(
      'feed_trimmed',
      `${projection} has not seen events${log === undefined ? '' : ` of ${log}`} that were trimmed away; where it can do without them, say so with trimmed: 'accept'`,
    );
  }
}

/**
 * The rows of this version were computed by another definition. Nothing was changed; the rows can
 * be read.
 */
export class ProjectionChanged extends MillraceError {
  constructor(projection: string, version: number, standing: 'changed' | 'former') {
    const anew = `raise its version to ${version + 1} to compute the rows anew, beside those that are there`;
    super(
      'projection_changed',
      standing === 'changed'
        ? `${projection} has changed, and the rows of its version ${version} were computed by what it was before: ${anew} (or have that done by itself, with onChange: 'rebuild'); where they are right all the same, as after a correction, say onChange: 'accept' once; where builds write the same in other words, give it a fingerprint of its own`
        : `${projection} has changed since, and readers see rows of its version ${version} that a later definition has computed; where this one is to come back, ${anew}`,
    );
  }
}

/**
 * A later version serves, and nobody is at work on it: what somebody waits for may never be counted.
 * The rows that are there can be read.
 */
export class ProjectionSuperseded extends MillraceError {
  /** The version that serves. */
  readonly serving: number;

  constructor(projection: string, version: number, serving: number) {
    const later =
      serving === version ? `a later build of version ${version}` : `version ${serving}`;
    super(
      'projection_superseded',
      `${projection} is superseded: ${later} serves, not this version ${version}, and no process is at work on it; start one that is, or raise this version above ${serving}`,
    );
    this.serving = serving;
  }
}

/** A handler, of one event; before it is known whether trying again helps. */
export class EventFailed extends Error {
  /** How many events of the page come before it. */
  readonly index: number;
  readonly place: EventPlace;

  constructor(index: number, place: EventPlace, cause: unknown) {
    super('an event could not be handled', { cause });
    this.index = index;
    this.place = place;
  }
}

/** The work on a page was broken off after `index` of its events, as it was to be stopped. */
export class Interrupted extends Error {
  readonly index: number;

  constructor(index: number) {
    super('broken off to be stopped');
    this.index = index;
  }
}

/** Somebody else may work now: the lease is lost, or a later token has committed. */
export class Overtaken extends Error {}

/** The target is not where it was thought to be: begin again. */
export class MovedOn extends Error {}

/** Whether the store was away, or may have been: it is worth trying again. */
export function isTrouble(error: unknown): error is MillraceError {
  return isA(error, Unavailable) || isA(error, OutcomeUnknown);
}

/**
 * Where, and of what kind; our own errors tell more. A message of the application may have parts
 * of the payload in it.
 */
export function reasonOf(cause: unknown): string {
  if (isA(cause, MillraceError)) return textOf(cause);
  return `the handler threw ${kindAndPlace(cause)}`;
}
