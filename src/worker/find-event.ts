/** Finds one event, or says why it is not there any more. */
import type { StoredEvent } from '../event/event.ts';
import { type EventId, isAfter, predecessorOf } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { EventLog } from '../log/log.ts';

/**
 * Where an event has gone: forgotten with those before it (`trimmed`), removed alone by somebody who
 * has access to the store (`deleted`), or lost by the store, which knows nothing of it (`reset`).
 */
export type LossReason = 'trimmed' | 'deleted' | 'reset';

export async function findEvent(
  eventLog: Pick<EventLog, 'read'>,
  log: LogName,
  id: EventId,
): Promise<StoredEvent | LossReason> {
  const after = predecessorOf(id);
  const { events, version } = await eventLog.read(log, { after, limit: 1, unchecked: true });
  const [event] = events;
  if (event?.id === id) return event;
  if (isAfter(id, version)) return 'reset';
  const { standing } = await eventLog.read(log, { after, limit: 1 });
  return standing.state === 'whole' ? 'deleted' : standing.state;
}
