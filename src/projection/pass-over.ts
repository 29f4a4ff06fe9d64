/** Events that could not be handled, and are no reason to stop: the application did not write them. */
import type { EventReading } from '../typed/event-reading.ts';
import { type EventPlace, reasonOf } from './errors.ts';

/** @returns whether it is passed over */
export function passOver(
  reading: Pick<EventReading<unknown>, 'passOver'>,
  place: EventPlace,
  cause: unknown,
): boolean {
  return reading.passOver(place, `cannot be handled: ${reasonOf(cause)}`, cause);
}
