/** A client has reached one of its limits; nothing was changed. */
import { MillraceError } from '../../event/error.ts';
import type { KnownCode } from '../../protocol/error-codes.ts';

export class LimitReached extends MillraceError {
  /** After how many milliseconds another try can succeed. */
  readonly retryAfter: number;

  constructor(
    code: Extract<KnownCode, 'rate_limited' | 'too_many_connections'>,
    message: string,
    retryAfter: number,
  ) {
    super(code, message);
    this.retryAfter = Math.max(1, Math.ceil(retryAfter));
  }
}
