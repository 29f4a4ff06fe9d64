/** What a command comes to: its events as a log takes them, before any of them is appended. */
import { InvalidInput } from '../event/error.ts';
import type { Meta, NewEvent } from '../event/event.ts';
import { isEveryone } from '../event/senders.ts';
import { comesLater } from '../event/thrown.ts';
import type { EventDefinitions, EventFrom } from '../typed/event-types.ts';
import type { Decider } from './decider.ts';

/** Limits are the log's to enforce, and those of the one that is used are not known here. */
export const NO_LIMITS = {
  maxPayloadBytes: Number.POSITIVE_INFINITY,
  maxMetaBytes: Number.POSITIVE_INFINITY,
  maxEventsPerAppend: Number.POSITIVE_INFINITY,
  maxAppendBytes: Number.POSITIVE_INFINITY,
};

/** What goes into the meta of all events of a command. */
interface EncodeOptions {
  /** Below what each event has itself. */
  readonly meta?: Meta | undefined;
  /** Above it. */
  readonly identity?: object | undefined;
}

/**
 * Decides a command.
 * @throws InvalidInput when an event is not what its definition says, and what `decide` throws
 */
export function newEventsOf<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  command: Command,
  state: State,
  options: EncodeOptions = {},
): NewEvent[] {
  const events = eventsIn<Payloads>(decider.decide(command, state), decider.name);
  const encoded = events.map((event) => encode(decider.events, event, options));
  if (!isEveryone(decider.writers)) for (const { meta } of encoded) mustCount(meta);
  return encoded;
}

/** Decided events that would not count when they are read would be lost without a word. */
function mustCount(meta: Meta | undefined): void {
  if (meta?.from === undefined) return;
  throw new InvalidInput(
    'meta.from',
    'is what a gateway marks the events of clients with; call what you want to say otherwise',
    'invalid_event',
  );
}

function eventsIn<Payloads extends object>(
  decision: unknown,
  name: string,
): readonly EventFrom<Payloads>[] {
  if (decision === undefined || decision === null) return [];
  if (Array.isArray(decision)) return decision;
  const isLate = comesLater(decision);
  if (!isLate && typeof decision === 'object' && 'type' in decision) {
    return [decision as EventFrom<Payloads>];
  }
  throw new InvalidInput(
    `decide of decider ${name}`,
    'must answer at once an event, an array of events, or nothing; what needs to be awaited belongs into the command',
  );
}

function encode<Payloads extends object>(
  events: EventDefinitions<Payloads> | undefined,
  event: EventFrom<Payloads>,
  { meta, identity }: EncodeOptions,
): NewEvent {
  const whole =
    meta === undefined && identity === undefined ? event : withMeta(event, meta, identity);
  // Without definitions, an event is one as the log takes it.
  return events === undefined ? (whole as NewEvent) : events.encode(whole);
}

function withMeta<Event extends { readonly meta?: Meta | undefined }>(
  event: Event,
  meta: Meta | undefined,
  identity: object | undefined,
): Event {
  return { ...event, meta: { ...meta, ...event.meta, ...identity } };
}
