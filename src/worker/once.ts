/** Appends that happen once, however often whoever makes them begins again. */
import { createHash } from 'node:crypto';
import type { Producer } from '../event/producer.ts';

/** A producer that appends one thing to a log, so that doing it again is a repeat. */
export function once(...names: string[]): Producer {
  const id = createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 40);
  return { id, epoch: 0, seq: 0 };
}

/**
 * The same for logs that clients may append to, too: a gateway takes no producer of theirs whose
 * name begins like this, so none of them can come first.
 */
export function onceBesideClients(...names: string[]): Producer {
  const producer = once(...names);
  return { ...producer, id: `app:${producer.id}` };
}
