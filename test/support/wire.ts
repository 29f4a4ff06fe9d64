/** What test clients put into events, and how they know them again. */
import type { StoredEvent } from '../../src/event/event.ts';
import type { SeenEvent } from './history.ts';

const FILLER = '|';

/** A payload of about `bytes` that carries `tag`. */
export function payloadWith(tag: string, bytes = 0): string {
  return bytes <= tag.length ? tag : `${tag}${FILLER}${'x'.repeat(bytes - tag.length)}`;
}

export function tagOf(payload: string): string {
  const end = payload.indexOf(FILLER);
  return end === -1 ? payload : payload.slice(0, end);
}

export function seen({ id, payload }: Pick<StoredEvent, 'id' | 'payload'>): SeenEvent {
  return { id, tag: tagOf(String(payload)) };
}
