/** What a line of the append script's answer means; see `append.lua`. */
import type { Appended } from '../../../event/appended.ts';
import { type EventId, successorOf } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import {
  LogFull,
  OutcomeUnknown,
  ProducerFenced,
  ProducerGap,
  Unavailable,
  VersionConflict,
  WrongType,
} from '../../../event/store-errors.ts';
import type { AppendOptions } from '../../../log/log.ts';

/** The result of one append of a batch, or why it was refused. */
export function readAnswer(
  log: LogName,
  { expected, producer }: AppendOptions,
  line: string,
): Appended | Error {
  if (isDigit(line.charCodeAt(0))) {
    const ids = line.split(' ') as EventId[];
    return { ids, version: ids[ids.length - 1]!, duplicate: false };
  }
  const [word, ...values] = line.split(' ');
  const value = values[0] ?? '';
  switch (word) {
    case 'duplicate':
      return { ids: idsFrom(values[1], values[2]), version: value as EventId, duplicate: true };
    case 'conflict':
      return new VersionConflict(log, expected!, value as EventId);
    case 'gap':
      return new ProducerGap(producer!.id, producer!.seq, Number(value));
    case 'fenced':
      return new ProducerFenced(producer!.id, producer!.epoch, Number(value));
    case 'full':
      return new LogFull(log);
    case 'wrong_type':
      return new WrongType(value);
    case 'broken':
      return new OutcomeUnknown(`Redis failed in the middle of it: ${values.join(' ')}`);
    default:
      return new Unavailable(`Redis refused the append: ${values.join(' ') || 'empty answer'}`);
  }
}

function idsFrom(first: string | undefined, count: string | undefined): EventId[] {
  if (first === undefined) return [];
  const ids = [first as EventId];
  while (ids.length < Number(count)) ids.push(successorOf(ids[ids.length - 1]!)!);
  return ids;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
