/** Names that no other test uses, so that tests can share a store. */
import { randomBytes } from 'node:crypto';
import { type LogName, parseLogName } from '../../src/event/log-name.ts';

export function randomId(): string {
  return randomBytes(9).toString('hex');
}

export function randomLog(category = 'account'): LogName {
  return parseLogName(`${category}:${randomId()}`);
}
