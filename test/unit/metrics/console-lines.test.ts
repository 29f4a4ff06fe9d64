import { afterEach, expect, test, vi } from 'vitest';
import { MillraceError } from '../../../src/event/error.ts';
import type { EventId } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { consoleLines, lineOf } from '../../../src/metrics/console-lines.ts';
import type { Happening, Notice } from '../../../src/metrics/notice.ts';

const said = vi.spyOn(console, 'error').mockImplementation(() => {});
afterEach(() => said.mockClear());

const SECRET = 'the payload';
const log = 'account:1' as LogName;
const event = { log, id: '5-0' as EventId, type: 'Deposited' };
const ours = new MillraceError('projection_failed', 'what we say ourselves');
const theirs = new RangeError(SECRET);

const EACH: { readonly [What in Notice['what']]: Happening & { readonly what: What } } = {
  failed: { what: 'failed', ...event, attempt: 2, after: 99.5, error: theirs },
  passed_over: { what: 'passed_over', ...event, error: ours },
  dead_letter: { what: 'dead_letter', ...event, attempt: 5, error: theirs },
  left_out: { what: 'left_out', ...event, error: ours },
  skipped: { what: 'skipped', log, after: '4-0' as EventId, reason: 'trimmed' },
  lease_lost: { what: 'lease_lost', log },
  ended: { what: 'ended', error: ours },
  snapshot: { what: 'snapshot', log, error: theirs },
  store: { what: 'store', error: ours },
  connection: { what: 'connection', state: 'lost', reason: 'ECONNREFUSED' },
};

test.each(Object.values(EACH))('$what is one line, without what is in a payload', (happening) => {
  const line = lineOf({ ...happening, by: 'the worker mail' });
  expect(line).not.toContain('\n');
  expect(line).not.toContain(SECRET);
  expect(line).not.toContain('undefined');
  if ('id' in happening && happening.error === theirs) {
    expect(line).toContain('the worker mail');
    expect(line).toContain('the event 5-0 (Deposited) in account:1');
    expect(line).toMatch(/RangeError at .*console-lines/);
  }
  if ('error' in happening && happening.error === ours) expect(line).toContain(ours.message);
});

test('of one kind there is a line a second, and the next one says how many there were', () => {
  let now = 0;
  const tell = consoleLines(() => now);
  const away = { ...EACH.store, by: 'the worker mail' };
  for (let time = 0; time < 5; time += 1) tell(away);
  tell({ ...away, by: 'the worker bills' });
  tell({ ...EACH.lease_lost, by: 'the worker mail' });
  now = 999;
  tell(away);
  now = 1_000;
  tell(away);
  now = 2_000;
  tell(away);
  expect(said.mock.calls.map(([line]) => line)).toEqual([
    'millrace: the worker mail waits for the store: what we say ourselves',
    'millrace: the worker bills waits for the store: what we say ourselves',
    'millrace: the worker mail was silent for too long, and has lost account:1 to another',
    'millrace: the worker mail waits for the store: what we say ourselves (and 5 more before)',
    'millrace: the worker mail waits for the store: what we say ourselves',
  ]);
});

test('a connection that comes back is told at once', () => {
  const tell = consoleLines(() => 0);
  tell({ ...EACH.connection, by: 'Redis' });
  tell({ what: 'connection', by: 'Redis', state: 'restored' });
  expect(said.mock.calls.map(([line]) => line)).toEqual([
    'millrace: Redis is lost; trying to reach it again (ECONNREFUSED)',
    'millrace: Redis is back',
  ]);
});
