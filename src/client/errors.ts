/** What a client reports. The codes are those of the gateway, and those below. */
import { MillraceError } from '../event/error.ts';
import type { Failure } from '../protocol/problem.ts';

/** What those are told who wait for something of a client that was closed. */
export const CLIENT_CLOSED: Failure = { code: 'closed', message: 'the client was closed' };

/** The gateway, or a rule of the client, has said no. `code` says which. */
export class Refused extends MillraceError {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.code, failure.message, options);
    this.failure = failure;
  }
}

/** The outbox holds as much as it may: nothing was kept. */
export class OutboxFull extends MillraceError {
  constructor(rule: string) {
    super('outbox_full', `the outbox is full: ${rule}; connect, or wait until it has been sent`);
  }
}
