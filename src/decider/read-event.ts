/** Stored events as `evolve` gets them. */
import type { StoredEvent } from '../event/event.ts';
import type { LogName } from '../event/log-name.ts';
import type { EventDefinitions, RecordedFrom } from '../typed/event-types.ts';
import { untyped } from '../typed/recorded.ts';

/**
 * An event as the decider gets it; undefined for one that its definitions do not know.
 * @throws UnreadableEvent
 */
export function readEvent<Payloads extends object>(
  { events }: { readonly events: EventDefinitions<Payloads> | undefined },
  log: LogName,
  stored: StoredEvent,
): RecordedFrom<Payloads> | undefined {
  // Without definitions, Payloads stands for any type with any payload.
  if (events === undefined) return untyped(log, stored) as RecordedFrom<Payloads>;
  const event = events.decode(log, stored);
  return event === undefined || event.unknown ? undefined : (event as RecordedFrom<Payloads>);
}
