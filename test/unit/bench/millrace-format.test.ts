/** The load generator looks for bytes instead of reading frames: it has to find what the protocol writes. */
import { expect, test } from 'vitest';
import { MILLRACE_FORMAT } from '../../../bench/load/millrace-format.ts';
import { Receipts } from '../../../bench/load/receipts.ts';
import { StoredEvent } from '../../../src/event/event.ts';
import { makeEventId } from '../../../src/event/event-id.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import {
  appendedFrame,
  errorFrame,
  eventsFrames,
  liveFrame,
} from '../../../src/protocol/json-frames.ts';
import { parseOperation } from '../../../src/protocol/json-operations.ts';
import { protocolError } from '../../../src/protocol/problem.ts';

const LOG = accountLog('7');
const ID = makeEventId(5, 1);

test('what it sends is an append, and what it is answered is counted', () => {
  const operation = parseOperation(MILLRACE_FORMAT.append(12, 7), 'writer-0');
  if (operation.op !== 'append') throw new Error(`is taken for ${operation.op}`);
  expect(operation).toMatchObject({ ref: 12, log: LOG, events: [{ payload: { n: 12 } }] });

  const receipts = new Receipts(new Float64Array(20), 0);
  const take = (message: string) => MILLRACE_FORMAT.take(Buffer.from(message), receipts, 1);
  const events = operation.events.map(
    ({ type, payload }) => new StoredEvent(ID, type, 'json', JSON.stringify(payload), '{"a":1}'),
  );
  for (const message of eventsFrames(LOG, events)) take(message);
  expect(receipts.received).toBe(1);
  take(appendedFrame(operation.ref, { ids: [ID], version: ID, duplicate: false }));
  expect(receipts.acknowledged).toBe(1);
  take(errorFrame(protocolError('forbidden', 'no'), operation.ref));
  expect(receipts.refused).toBe(1);
  expect(MILLRACE_FORMAT.isLive(Buffer.from(liveFrame(LOG, ID)))).toBe(true);
});
