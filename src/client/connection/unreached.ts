import { Refused } from '../errors.ts';

/** Nobody has answered, so nothing is known of what was asked; worth another try. */
export class Unreached extends Refused {
  constructor(message = 'the gateway does not answer') {
    super({ code: 'unavailable', message });
  }
}
