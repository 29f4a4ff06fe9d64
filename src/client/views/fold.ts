/** What a view does to events, of whatever it was made of: a decider, or an `evolve` of its own. */
import { evolving } from '../../decider/evolving.ts';
import { InvalidInput } from '../../event/error.ts';
import type { StoredEvent } from '../../event/event.ts';
import type { LogName } from '../../event/log-name.ts';
import { textOfWriters } from '../../event/senders.ts';
import { EventReading } from '../../typed/event-reading.ts';
import type { EventDefinitions, Recorded, UnknownRecorded } from '../../typed/event-types.ts';
import type { AnyViewOptions } from './view-options.ts';

/** A decider is one. */
export interface Fold<State> {
  /** Under which the state is kept on the device. Undefined: it is not. */
  readonly name?: string | undefined;
  /** What a kept state is good for. */
  readonly version: string;
  readonly initial: State;
  /** Undefined for an event that does not count. @throws UnreadableEvent */
  read(log: LogName, stored: StoredEvent): Recorded | undefined;
  /** @throws what `evolve` throws for an event that no client has sent */
  evolve(state: State, event: Recorded): State;
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws InvalidInput */
export function foldOf<State>(
  options: AnyViewOptions<State>,
  ofLog: EventDefinitions | undefined,
): Fold<State> {
  const { name, initial, evolve, writers, events = ofLog } = options;
  if (typeof evolve !== 'function') throw new InvalidInput('evolve', 'must be a function');
  if (name !== undefined && !NAME.test(name)) {
    throw new InvalidInput('name', 'must be 1 to 64 characters of A-Z a-z 0-9 . _ -');
  }
  const whose = `view ${name ?? 'without a name'}`;
  const reading = new EventReading<Recorded | UnknownRecorded>({
    ...{ events, writers, by: `the ${whose}` },
    notice: ({ by, what, ...notice }) => console.warn(`millrace: ${by}: ${what}`, notice),
  });
  return {
    name,
    version: name === undefined ? '' : versionOf(options, events),
    initial,
    read(log, stored) {
      const event = reading.read(log, stored);
      return event?.unknown === true ? undefined : event;
    },
    evolve: evolving(evolve, reading, whose),
  };
}

/** What the state follows from. It stays on the device, so that nothing is gained by hashing it. */
export function versionOf<State>(
  { version, initial, evolve, writers }: AnyViewOptions<State>,
  events: EventDefinitions | undefined,
): string {
  const whose = textOfWriters(writers);
  const from = version ?? [String(evolve), initial, events?.readingText];
  return JSON.stringify([from, whose]);
}
