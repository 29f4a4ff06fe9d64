/** How much memory events take in this process, which for small ones is far more than what they hold. */
import type { StoredEvent } from '../event/event.ts';

/** What an event costs besides its characters: objects, strings, and a batch of its own. Measured: 220. */
const EVENT_OVERHEAD = 250;
/** What an encoded frame costs besides its bytes. Measured: 110. */
export const FRAME_OVERHEAD = 150;

/** In bytes, roughly, and rather too much than too little. */
export function weightOf(events: readonly StoredEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += event.size + EVENT_OVERHEAD;
  return bytes;
}
