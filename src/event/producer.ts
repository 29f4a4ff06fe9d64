/** Who appends, where a repeat must not count twice. */

/**
 * Who appends, so that a repeat can be told from a new append (Kafka's idempotent producer).
 * `seq` counts one producer's appends to one log, from 0 in each epoch, without gaps.
 */
export interface Producer {
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ : -`. */
  readonly id: string;
  /** Raised by a new incarnation of the producer to shut out the older ones; from 0. */
  readonly epoch: number;
  readonly seq: number;
}

const PRODUCER_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The rule of {@link isProducerId}, to be told to whoever broke it. */
export const PRODUCER_ID_RULE = 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : -';

export function isProducerId(value: unknown): value is string {
  return typeof value === 'string' && PRODUCER_ID.test(value);
}
