/** A page of a log, as HTTP answers it: `{"log","events","cursor","more","version"}`. */
import type { MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import type { LogName } from '../event/log-name.ts';
import { decodeEvents, encodeEvent } from './event-json.ts';
import { type EventShape, eventShape } from './event-pieces.ts';
import { asEventId, asFlag, asLogName, objectIn } from './json-members.ts';
import { protocolError } from './problem.ts';

/** What a page says about itself. */
export interface PageFacts {
  readonly log: LogName;
  /** The `after` of the next page. */
  readonly cursor: EventId;
  /** Whether there is a next page now. */
  readonly more: boolean;
  readonly version: EventId;
}

/** A page as a client gets it. */
export interface EventsPage extends PageFacts {
  readonly events: readonly StoredEvent[];
}

// The events' JSON is joined, not built again: payloads go through as they were stored.

/** A page without its events: what comes before them, and what after. */
export function pageAround({ log, cursor, more, version }: PageFacts): {
  readonly head: string;
  readonly tail: string;
} {
  return {
    head: `{"log":"${log}","events":[`,
    tail: `],"cursor":"${cursor}","more":${more},"version":"${version}"}`,
  };
}

/** What stands between the head and the tail of a page. */
export function pageEvents(events: readonly StoredEvent[]): string {
  return events.map(encodeEvent).join(',');
}

/** One event of a page, to be written in pieces. */
export function pageEventShape(event: StoredEvent, isFirst: boolean): EventShape {
  const shape = eventShape(event);
  return isFirst ? shape : { ...shape, before: `,${shape.before}` };
}

/**
 * Reads the page that a client got. Members that are not known are passed over.
 * @throws MillraceError `invalid_json`, InvalidInput for what is not of a gateway
 */
export function readPage(body: string): EventsPage {
  const page = objectIn(body, 'the page');
  return {
    log: asLogName(page.log, 'log'),
    events: decodeEvents(page.events),
    cursor: asEventId(page.cursor, 'cursor'),
    more: asFlag(page.more, 'more'),
    version: asEventId(page.version, 'version'),
  };
}

/** Instead of a page whose cursor is not whole; its problem also has `resumeAfter` and `version`. */
export function trimmedPage(log: LogName, resumeAfter: EventId): MillraceError {
  return protocolError(
    'trimmed',
    `events of ${log} up to ${resumeAfter} are no longer kept; go on with after=${resumeAfter}`,
  );
}

/** Instead of a page whose cursor is not whole; its problem also has `version`. */
export function resetPage(log: LogName): MillraceError {
  return protocolError(
    'reset',
    `the store lost events of ${log} that the cursor had seen; forget what was read and start afresh with after=${ZERO_ID}`,
  );
}
