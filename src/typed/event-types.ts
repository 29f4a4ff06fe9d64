/** The types that follow from a set of event definitions. */
import type { Meta, NewEvent, Payload, StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';

/** The payloads of events that are not defined: whatever is stored. */
export type AnyPayloads = Readonly<Record<string, Payload>>;

/** An event that no log has yet, of one type. */
export interface TypedEvent<Type extends string = string, Content = Payload> {
  readonly type: Type;
  readonly payload: Content;
  readonly meta?: Meta | undefined;
}

/** An event as it is in a log, of one type, in its current shape. */
export interface Recorded<Type extends string = string, Content = Payload> {
  readonly type: Type;
  readonly payload: Content;
  /** Empty when the event has none. */
  readonly meta: Meta;
  readonly id: EventId;
  readonly log: LogName;
  /** When it was appended by the clock of the store, in milliseconds since 1970: the first half of the ID. */
  readonly at: number;
  readonly unknown?: undefined;
}

/** An event of a type that is not defined, handed over as it is. */
export interface UnknownRecorded extends Omit<Recorded, 'unknown'> {
  readonly unknown: true;
}

/** An event without definitions: of any type, as it is stored. */
export type UntypedRecorded = Recorded<string, Payload>;

/**
 * What becomes of stored events whose type is not defined.
 * `error`: reading them throws (readers pass over those that the application did not write); `ignore`: they are left out; `raw`: they are handed over as
 * {@link UnknownRecorded}.
 */
export type UnknownPolicy = 'error' | 'ignore' | 'raw';

/** Payloads by event type. */
export type PayloadMap = Readonly<Record<string, unknown>>;

/**
 * A closed set of events: checks, writes and reads them. What takes events of an application
 * (deciders, projections, workers) takes this. Made by `defineEvents`.
 * @typeParam Payloads by event type, as they are read
 */
export interface EventDefinitions<Payloads extends object = PayloadMap> {
  /** The defined types, in their order. */
  readonly types: readonly string[];
  /**
   * What reading does to older events (upcasts, renamed types, the policy), as source text: when
   * it changes, what was computed from events may no longer be what would be computed now.
   */
  readonly readingText: string;

  /**
   * An event as logs take it: validated, and with `meta.version` when its version is above 1.
   * @throws InvalidInput naming the event type and the place in the payload
   */
  encode(event: EventFrom<Payloads>): NewEvent;

  /**
   * A stored event in its current shape; `undefined` when it is to be ignored.
   * What came through a gateway is validated: nobody has done that when it was written.
   * @throws UnreadableEvent when the type is unknown and the policy `error`, when it has a later
   *   version than is defined, when its payload is broken, when an upcast fails, and when the
   *   schema refuses the payload (of what the application wrote: with `validateReads`)
   */
  decode(log: LogName, stored: StoredEvent): RecordedFrom<Payloads> | UnknownRecorded | undefined;

  /** Never there at run time: tells the compiler the types. */
  readonly '~payloads'?: Payloads | undefined;
}

/**
 * What `defineEvents` answers: {@link EventDefinitions} that know what schemas have defaults for,
 * and what becomes of unknown types.
 * @typeParam Inputs by event type, as they are written: what a schema has a default for can be left out
 */
export interface DefinedEvents<
  Payloads extends object,
  Inputs extends { readonly [Type in keyof Payloads]: unknown },
  Policy extends UnknownPolicy,
> extends EventDefinitions<Payloads> {
  readonly types: readonly (keyof Payloads & string)[];

  /**
   * Makes an event, validated.
   * @throws InvalidInput naming the event type and the place in the payload
   */
  create<Type extends keyof Payloads & string>(
    type: Type,
    payload: Inputs[Type],
    meta?: Meta,
  ): TypedEvent<Type, Payloads[Type]>;

  encode(event: EventFrom<Inputs> | EventFrom<Payloads>): NewEvent;

  decode(
    log: LogName,
    stored: StoredEvent,
  ): RecordedFrom<Payloads> | UnknownUnder<Policy> | IgnoredUnder<Policy>;

  /** Never there at run time: tells the compiler the types. */
  readonly '~inputs'?: Inputs | undefined;
  /** Never there at run time: tells the compiler the types. */
  readonly '~policy'?: Policy | undefined;
}

/** The union of events with these payloads. */
export type EventFrom<Payloads> = {
  [Type in keyof Payloads & string]: TypedEvent<Type, Payloads[Type]>;
}[keyof Payloads & string];

/** The union of recorded events with these payloads. */
export type RecordedFrom<Payloads> = {
  [Type in keyof Payloads & string]: Recorded<Type, Payloads[Type]>;
}[keyof Payloads & string];

type UnknownUnder<Policy> = Policy extends 'raw' ? UnknownRecorded : never;
type IgnoredUnder<Policy> = Policy extends 'ignore' ? undefined : never;

/** Payloads by event type, of these definitions. */
export type PayloadsOf<Events> = Events extends { readonly '~payloads'?: infer Payloads }
  ? NonNullable<Payloads>
  : never;

/** The union of the events that are defined: `{ type, payload, meta? }`. */
export type EventOf<Events> = EventFrom<PayloadsOf<Events>>;

/** What may be given to `encode`: like {@link EventOf}, and what schemas have defaults for may be left out. */
export type EventInputOf<Events> = Events extends { readonly '~inputs'?: infer Inputs }
  ? EventFrom<NonNullable<Inputs>>
  : EventOf<Events>;

/** The union of the recorded events that are defined: `{ type, payload, meta, id, log, at }`. */
export type RecordedOf<Events> = RecordedFrom<PayloadsOf<Events>>;

/** What a reader of a log gets: {@link RecordedOf}, and with the policy `raw` the unknown ones. */
export type DecodedOf<Events> =
  | RecordedOf<Events>
  | (Events extends { readonly '~policy'?: infer Policy }
      ? UnknownUnder<NonNullable<Policy>>
      : never);
