/** What a producer may be called. */

const PRODUCER_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The rule of {@link isProducerId}, to be told to whoever broke it. */
export const PRODUCER_ID_RULE = 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : -';

export function isProducerId(value: unknown): value is string {
  return typeof value === 'string' && PRODUCER_ID.test(value);
}
