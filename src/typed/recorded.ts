/** Stored events as readers get them. */
import type { Meta, Payload, StoredEvent } from '../event/event.ts';
import type { EventId } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import type { Recorded, UntypedRecorded } from './event-types.ts';

const NO_META: Meta = Object.freeze({});

/** What the ID that was asked about last starts with: neighbours mostly share it. */
let lastStart = '0-';
let lastTime = 0;

/** When an event was appended, in milliseconds since 1970. */
export function timeOf(id: EventId): number {
  if (!id.startsWith(lastStart)) {
    const dash = id.indexOf('-');
    lastStart = id.slice(0, dash + 1);
    lastTime = Number(id.slice(0, dash));
  }
  return lastTime;
}

export function recordedFrom<Content>(
  log: LogName,
  id: EventId,
  type: string,
  payload: Content,
  meta: Meta | undefined,
): Recorded<string, Content> {
  return { type, payload, meta: meta ?? NO_META, id, log, at: timeOf(id) };
}

/** A stored event for readers who have defined no events: as it is. */
export function untyped(log: LogName, stored: StoredEvent): UntypedRecorded {
  const { id, type, payload, meta } = stored;
  return recordedFrom<Payload>(log, id, type, payload, meta);
}
