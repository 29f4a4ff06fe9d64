/**
 * An append that is not known to be in its log. It is made in the transaction that stores it, which
 * gives it its producer, epoch and seq: a repeat is always the same.
 *
 *   kept ──► sent ──► settled (in the log, once)
 *                 └─► refused (handed back with the reason)
 */
import type { Appended } from '../../event/appended.ts';
import type { Meta, NewEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Producer } from '../../event/producer.ts';
import type { Failure } from '../../protocol/problem.ts';

/** What the events of an entry say about themselves, in `meta.client`: whose they are, and of which entry. */
export interface ClientMark {
  /** The client: random, kept with its outbox. */
  readonly id: string;
  /** The {@link Entry.key}. */
  readonly key: string;
}

/** A command that led to the events; it is decided again when the log has moved on. */
export interface EntryCommand {
  readonly decider: string;
  readonly command: unknown;
  /** For the meta of all its events. */
  readonly meta?: Meta | undefined;
}

export interface NewEntry {
  /** Random, at least 96 bits. */
  readonly key: string;
  readonly log: LogName;
  /** With {@link ClientMark} in their meta. */
  readonly events: readonly NewEvent[];
  readonly expected?: EventId | undefined;
  /** The key of an entry without which this one makes no sense: refused with it. */
  readonly dependsOn?: string | undefined;
  readonly command?: EntryCommand | undefined;
  /** Where in the log its events would be looked for: after this. Undefined: from the start. */
  readonly after?: EventId | undefined;
  /** By the clock of the device, in milliseconds since 1970. */
  readonly at: number;
}

export interface Entry extends NewEntry {
  /** Ascending over all logs. */
  readonly order: number;
  readonly producer: Producer;
  /** A command whose events and `expected` are fixed, as it is being sent. */
  readonly isDecided?: boolean | undefined;
}

/** An entry that was handed back. It stays until it is dismissed. */
export interface Refusal {
  readonly entry: Entry;
  readonly failure: Failure;
  /** By the clock of the device, in milliseconds since 1970. */
  readonly at: number;
}

export type Outcome =
  | { readonly kind: 'settled'; readonly appended: Appended }
  | { readonly kind: 'refused'; readonly failure: Failure };
