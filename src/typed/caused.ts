/**
 * Which event led to which, as Greg Young has it: the correlation is handed on unchanged through
 * all that a first event sets off, the causation is the event right before.
 */
import type { Meta } from '../event/event.ts';
import type { Recorded } from './event-types.ts';

/** Whoever may append can write anything there, and it must not make what follows on it too large. */
const MAX_CORRELATION_LENGTH = 1_024;

/**
 * The meta of what `event` causes: `correlationId` is handed on (or is the event itself, where it
 * is the first, or has no text of at most 1,024 characters there), `causationId` is the event. Both
 * name an event as `log/id`.
 */
export function caused(by: Pick<Recorded, 'log' | 'id' | 'meta'>): Meta {
  const cause = `${by.log}/${by.id}`;
  const { correlationId: known } = by.meta;
  const isUsable = typeof known === 'string' && known.length <= MAX_CORRELATION_LENGTH;
  return { correlationId: isUsable ? known : cause, causationId: cause };
}
