/** Where a loop starts is looked at when it is asked for, not when it is begun. */
import { expect, test } from 'vitest';
import { ZERO_ID } from '../../../src/event/event-id.ts';
import type { Start } from '../../../src/event/start.ts';
import { createLive } from '../../../src/live/create-live.ts';
import { subscribe } from '../../../src/live/subscribe.ts';
import { typedLog } from '../../../src/live/typed-log.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';

const { signal } = new AbortController();

const REFUSED: readonly [start: unknown, field: string, message: RegExp][] = [
  [undefined, 'start', /event ID.*milliseconds.*'now'/],
  ['later', 'start', /'now'/],
  [{}, 'start', /since/],
  [{ after: ZERO_ID, since: 0 }, 'start', /not two/],
  [{ after: ZERO_ID, last: 1 }, 'start', /not two/],
  [{ last: 0 }, 'start.last', /from 1 to 10000/],
  [{ last: '1' }, 'start.last', /whole number/],
  [{ after: 'yesterday' }, 'start.after', /event ID/],
  [{ since: Number.NaN }, 'start.since', /milliseconds/],
  [{ since: new Date() }, 'start.since', /milliseconds/],
  [{ signal }, 'start.signal', /goes into the argument after it/],
  [{ after: ZERO_ID, signal }, 'start.signal', /goes into the argument after it/],
  [{ since: 0, limit: 3 }, 'start.limit', /is not known/],
];

test.each(REFUSED)('%o is refused at the call, with the field', (start, field, message) => {
  const log = new MemoryLog();
  const live = createLive({ log });
  for (const reader of [{ subscribe }, typedLog(log, defineEvents({}))]) {
    const call = () => reader.subscribe(live, 'account:1', start as Start);
    expect(call).toThrow(expect.objectContaining({ name: 'InvalidInput', field }));
    expect(call).toThrow(message);
  }
});

test('a start that keeps to the rules is taken, also with a member that is undefined', async () => {
  const live = createLive({ log: new MemoryLog() });
  const starts = [
    'now',
    { after: ZERO_ID },
    { since: 0 },
    { last: 1 },
    { after: undefined, since: 0 },
  ];
  for (const start of starts) {
    await subscribe(live, 'account:1', start as Start).return();
  }
});
