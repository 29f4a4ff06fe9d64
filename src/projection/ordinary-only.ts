/** Which logs are read by who asked for no category: all but those of dead letters, as for workers. */
import type { StoredEvent } from '../event/event.ts';
import { isOrdinary, type LogName } from '../event/log-name.ts';

type Decode<Event> = (log: LogName, stored: StoredEvent) => Event | undefined;

/** `decode`, or where no category was asked for, one that passes over dead letters. */
export function ordinaryOnly<Event>(
  category: string | undefined,
  decode: Decode<Event>,
): Decode<Event> {
  if (category !== undefined) return decode;
  return (log, stored) => (isOrdinary(log) ? decode(log, stored) : undefined);
}
