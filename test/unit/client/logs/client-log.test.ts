import { afterEach, expect, test, vi } from 'vitest';
import { OpenLog } from '../../../../src/client/logs/client-log.ts';
import { InvalidInput } from '../../../../src/event/error.ts';
import type { EventId } from '../../../../src/event/event-id.ts';
import { defineEvents } from '../../../../src/typed/define-events.ts';
import type { EventDefinitions } from '../../../../src/typed/event-types.ts';
import { type } from '../../../../src/typed/standard-schema.ts';
import { FakeClient } from './fake-client.ts';
import { event, LOG } from './model-upstream.ts';

const definitions = defineEvents({
  Counted: { schema: type<{ n: number }>(), version: 2, upcast: { 1: (n: number) => ({ n }) } },
}) as unknown as EventDefinitions;

afterEach(() => {
  vi.restoreAllMocks();
});

test('appends what the definitions make of events, from where the log is read', async () => {
  const client = new FakeClient();
  const log = new OpenLog(LOG, definitions, client.context);
  log.append({ type: 'Counted', payload: { n: 1 } });
  expect(client.appended[0]).toEqual({
    log: LOG,
    events: [{ type: 'Counted', payload: { n: 1 }, meta: { version: 2 } }],
  });
  client.log.append(3);
  log.on('*', () => {}, { last: 1 });
  await client.settle();
  const first = log.append({ type: 'Counted', payload: { n: 1 } });
  expect(client.appended[1]).toMatchObject({ after: '3-0' });
  log.append([{ type: 'Counted', payload: { n: 1 } }], {
    dependsOn: first,
    expected: '3-0' as EventId,
  });
  expect(client.appended[2]).toMatchObject({ dependsOn: 'k', expected: '3-0' });
});

test('what no log would take is refused at once', () => {
  const client = new FakeClient();
  const log = new OpenLog(LOG, undefined, client.context);
  expect(() => log.append([])).toThrow('events must hold at least one event');
  expect(() => log.append({ type: '', payload: 1 })).toThrow(InvalidInput);
  const expected = 'yesterday' as EventId;
  expect(() => log.append({ type: 'A', payload: 1 }, { expected })).toThrow('expected must be');
  expect(() => log.events({ last: 0 })).toThrow('start.last must be a whole number from 1');
  expect(() => log.events({} as never)).toThrow('start must be');
  expect(() => log.events('later' as never)).toThrow('start must be');
  expect(() => log.on('A', 1 as never)).toThrow('heard must be a function');
  expect(client.appended).toEqual([]);
});

test('calls back for the events of a type, also when a callback throws', async () => {
  const told = vi.spyOn(console, 'error').mockReturnValue();
  const client = new FakeClient();
  const log = new OpenLog(LOG, definitions, client.context);
  const heard: number[] = [];
  const all: string[] = [];
  const close = log.on('Counted', ({ payload }: { payload: { n: number } }) => {
    heard.push(payload.n);
    if (payload.n === 2) throw new Error('two');
  });
  log.on('*', (event: { type: string }) => all.push(event.type));
  await client.settle();
  client.log.append(3);
  await client.settle();
  expect(heard).toEqual([1, 2, 3]);
  expect(told).toHaveBeenCalledTimes(1);
  close();
  client.log.append(1);
  await client.settle();
  expect(heard).toEqual([1, 2, 3]);
  expect(all).toHaveLength(4);
});

test('after a reset only what comes is heard', async () => {
  const client = new FakeClient();
  client.log.append(5);
  const log = new OpenLog(LOG, undefined, client.context);
  const heard: unknown[] = [];
  const close = log.on('*', (event: { payload: unknown }) => heard.push(event.payload));
  await client.settle();
  client.log.lose(2);
  client.upstream.reconnect();
  await client.settle();
  client.log.append(1);
  await client.settle();
  expect(heard).toEqual([7]);
  close();
});

test('passes over what clients have written and cannot be read, and says so once', async () => {
  const warned = vi.spyOn(console, 'warn').mockReturnValue();
  const client = new FakeClient();
  const log = new OpenLog(LOG, definitions, client.context);
  const latest = log.latest();
  latest.subscribe(() => {});
  await client.settle();
  const from = { from: 'account:2' };
  client.channels.receiver.events(LOG, [
    event(1, 1, { version: 7, ...from }),
    event(2, 2, { version: 8, ...from }),
    event(3, { n: 3 }, { version: 2, ...from }),
  ]);
  expect(latest.get().events.map(({ payload }) => payload)).toEqual([{ n: 3 }]);
  expect(latest.get().failure).toBeUndefined();
  expect(warned).toHaveBeenCalledTimes(1);
  // What the application wrote has to be readable.
  client.channels.receiver.events(LOG, [event(4, 1, { version: 9 })]);
  expect(latest.get().failure).toMatchObject({ code: 'unreadable_event' });
});

test('reads a page', async () => {
  const client = new FakeClient();
  client.log.append(5);
  const log = new OpenLog(LOG, definitions, client.context);
  const page = await log.read({ after: '1-0' as EventId }, 2);
  expect(page.events.map(({ payload }) => payload)).toEqual([{ n: 2 }, { n: 3 }]);
  expect(page).toMatchObject({ cursor: '3-0', more: true, version: '5-0' });
});
