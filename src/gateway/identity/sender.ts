/**
 * What the gateway makes of the events that a client sends. `meta.from` is the gateway's word, and
 * readers may believe it: whatever a client puts there is replaced. What commands go by
 * is for the application alone, and refused.
 */
import { InvalidInput, type MillraceError } from '../../event/error.ts';
import type { Meta, NewEvent } from '../../event/event.ts';
import { accountLog, type LogName } from '../../event/log-name.ts';
import { isReserved } from '../../event/own-events.ts';
import { ANONYMOUS } from '../../event/senders.ts';
import { protocolError } from '../../protocol/problem.ts';
import type { Identity } from './identity.ts';

/** Which command led to the event, and what it reserves. */
const APPLICATION_META = ['commandId', 'commandHash', 'reservation'] as const;

/** In which shape a payload is: the sender's own word, as the payload is. */
const MAX_VERSION = 1_000_000;

/** Commands are producers of these names; `app:` is for what else an application appends. */
const APPLICATION_PRODUCER = /^(command|app):/;

/** An append as a client sent it. */
export interface SentAppend {
  readonly events: readonly NewEvent[];
  readonly producer?: { readonly id: string } | undefined;
}

/**
 * The events as they are appended.
 * @throws MillraceError `forbidden` for events that would pass as those of Millrace or of the
 *   application; an admin acts for the application
 * @throws InvalidInput `invalid_event` for a version that is none
 */
export function sentBy(
  identity: Identity | undefined,
  log: LogName,
  { events, producer }: SentAppend,
): readonly NewEvent[] {
  const from = identity === undefined ? ANONYMOUS : accountLog(identity.account);
  const isAdmin = identity?.claims?.admin === true;
  if (producer !== undefined && !isAdmin && APPLICATION_PRODUCER.test(producer.id)) {
    throw applicationsOwn('producer', 'must not begin with command: or app:');
  }
  return events.map(({ type, payload, meta }, index) => {
    if (isReserved(log, type)) throw reserved(log, type);
    if (meta !== undefined) {
      checkVersion(meta, index);
      if (!isAdmin) checkMeta(meta, index);
    }
    return { type, payload, meta: { ...meta, from } };
  });
}

function checkVersion({ version }: Meta, index: number): void {
  if (version === undefined) return;
  if (Number.isInteger(version) && Number(version) >= 1 && Number(version) <= MAX_VERSION) return;
  const rule = `must be a whole number from 1 to ${MAX_VERSION}`;
  throw new InvalidInput(`events[${index}].meta.version`, rule, 'invalid_event');
}

function checkMeta(meta: Meta, index: number): void {
  for (const name of APPLICATION_META) {
    if (Object.hasOwn(meta, name)) {
      throw applicationsOwn(`events[${index}].meta.${name}`, 'must be left out');
    }
  }
}

function applicationsOwn(field: string, rule: string): InvalidInput {
  const reason = 'it is for the application (its own process, or an admin)';
  return new InvalidInput(field, `${rule}: ${reason}`, 'forbidden');
}

function reserved(log: LogName, type: string): MillraceError {
  return protocolError(
    'forbidden',
    log.startsWith('account:')
      ? `${type} in the log of an account is written by Millrace alone: use POST /accounts, or PATCH or DELETE /accounts/<id>`
      : `${log} is written by Millrace alone: redrive or discard dead letters with millrace dead-letters`,
  );
}
