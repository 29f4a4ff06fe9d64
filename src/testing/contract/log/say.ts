/** Short ways to say what the contract tests say often. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import type { Appended } from '../../../event/appended.ts';
import type { NewEvent, Payload } from '../../../event/event.ts';
import { type EventId, eventIdParts, isAfter, makeEventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { EventLog, Page, ReadOptions } from '../../../log/log.ts';

export function event(payload: Payload = 'payload', type = 'SomethingHappened'): NewEvent {
  return { type, payload };
}

/** Appends `count` events one after the other, with the payloads `0`, `1`, … as text. */
export async function appendMany(
  eventLog: EventLog,
  log: LogName,
  count: number,
  from = 0,
): Promise<EventId[]> {
  const ids: EventId[] = [];
  for (let start = 0; start < count; start += 500) {
    const length = Math.min(500, count - start);
    const events = Array.from({ length }, (_, index) => event(String(from + start + index)));
    ids.push(...(await eventLog.append(log, events)).ids);
  }
  return ids;
}

export async function appendOne(
  eventLog: EventLog,
  log: LogName,
  payload: Payload = 'payload',
): Promise<EventId> {
  return onlyId(await eventLog.append(log, [event(payload)]));
}

export function onlyId(appended: Appended): EventId {
  strictEqual(appended.ids.length, 1);
  return appended.ids[0]!;
}

export function idsOf(page: Page): EventId[] {
  return page.events.map(({ id }) => id);
}

export function payloadsOf(page: Page): Payload[] {
  return page.events.map(({ payload }) => payload);
}

/** All that a log holds, page by page. */
export async function readAll(
  eventLog: EventLog,
  log: LogName,
  options: ReadOptions = {},
): Promise<Page> {
  let page = await eventLog.read(log, { limit: 1000, maxBytes: 16_000_000, ...options });
  const { standing } = page;
  const events = [...page.events];
  while (page.more) {
    page = await eventLog.read(log, { limit: 1000, ...options, after: events.at(-1)!.id });
    events.push(...page.events);
  }
  return { events, more: false, version: page.version, standing };
}

export async function versionOf(eventLog: EventLog, log: LogName): Promise<EventId> {
  return (await eventLog.read(log, { limit: 0 })).version;
}

export function assertIncreasing(ids: readonly EventId[]): void {
  for (let index = 1; index < ids.length; index += 1) {
    ok(isAfter(ids[index]!, ids[index - 1]!), `${ids[index]} must come after ${ids[index - 1]}`);
  }
}

export async function assertHolds(
  eventLog: EventLog,
  log: LogName,
  payloads: readonly Payload[],
): Promise<void> {
  deepStrictEqual(payloadsOf(await readAll(eventLog, log)), payloads);
}

/** An ID far in the future, so that no clock reaches it during the tests. */
export const FUTURE = 33_000_000_000_000n;

export function shifted(id: EventId, milliseconds: bigint): EventId {
  const parts = eventIdParts(id);
  return makeEventId(parts.milliseconds + milliseconds, parts.sequence);
}
