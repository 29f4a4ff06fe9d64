/**
 * Which event led to which, as Greg Young has it: the correlation is handed on unchanged through
 * all that a first event sets off, the causation is the event right before.
 */
import type { Meta } from '../event/event.ts';
import type { Recorded } from './event-types.ts';

/**
 * The meta of what `event` causes: `correlationId` is handed on (or is the event itself, where it
 * is the first), `causationId` is the event. Both name an event as `log/id`.
 */
export function caused(by: Pick<Recorded, 'log' | 'id' | 'meta'>): Meta {
  const cause = `${by.log}/${by.id}`;
  return { correlationId: by.meta.correlationId ?? cause, causationId: cause };
}
