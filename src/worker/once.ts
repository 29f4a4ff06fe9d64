/** Appends that happen once, however often whoever makes them begins again. */
import { createHash } from 'node:crypto';
import type { Producer } from '../log/log.ts';

/** A producer that appends one thing to a log, so that doing it again is a repeat. */
export function once(...names: string[]): Producer {
  const id = createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 40);
  return { id, epoch: 0, seq: 0 };
}
