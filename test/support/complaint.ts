/** What the history checker can find wrong. */
import type { SeenEvent } from './history.ts';

export type Fault =
  | 'acknowledged_missing'
  | 'appended_twice'
  | 'refused_but_there'
  | 'foreign_in_log'
  | 'log_out_of_order'
  | 'not_atomic'
  | 'wrong_id_answered'
  | 'writer_out_of_order'
  | 'reader_missed'
  | 'reader_got_twice'
  | 'reader_out_of_order'
  | 'reader_got_foreign'
  | 'untold_loss'
  | 'needless_reset'
  | 'untrue_trimmed'
  | 'resumed_elsewhere';

export interface Complaint {
  readonly fault: Fault;
  /** What is wrong, with the names of log, reader or writer, tag and ID. */
  readonly message: string;
}

export function complaint(fault: Fault, message: string): Complaint[] {
  return [{ fault, message }];
}

export function show({ id, tag }: SeenEvent): string {
  return `${tag} (${id})`;
}
