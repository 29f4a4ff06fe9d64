/**
 * What the events of an entry say about themselves, `meta.client`: by it a client finds its own in a
 * log. It is the client's word, and good for nothing else.
 */
import { base64Of } from '../../event/base64.ts';
import type { NewEvent, StoredEvent } from '../../event/event.ts';
import type { ClientMark } from './entry.ts';

/** 96 random bits, in characters that a producer ID may have. */
export function randomId(): string {
  const text = base64Of(crypto.getRandomValues(new Uint8Array(12)));
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

export function withMark(events: readonly NewEvent[], { id, key }: ClientMark): NewEvent[] {
  return events.map((event) => ({ ...event, meta: { ...event.meta, client: { id, key } } }));
}

/** The mark of an event, whoever has made it; undefined when it has none. */
export function markOf(event: Partial<Pick<StoredEvent, 'meta'>>): ClientMark | undefined {
  const mark = event.meta?.client as unknown as Partial<ClientMark> | null | undefined;
  return typeof mark?.id === 'string' && typeof mark.key === 'string'
    ? { id: mark.id, key: mark.key }
    : undefined;
}
