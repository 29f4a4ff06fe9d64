/** Two tabs fill one cache, while their transactions break and their connections go. */
import { expect, test } from 'vitest';
import { StoredEvent } from '../../../../src/event/event.ts';
import type { EventId } from '../../../../src/event/event-id.ts';
import type { LogName } from '../../../../src/event/log-name.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { abortWrites, Browser } from './browser.ts';

const LOGS = ['room:1', 'room:2', 'room:3'] as LogName[];
const at = (n: number) => `${n}-0` as EventId;
const numberOf = (id: EventId) => Number.parseInt(id, 10);

/** All that there are after one place, up to another. */
function between(after: number, cursor: number): StoredEvent[] {
  return Array.from({ length: cursor - after }, (_, n) => {
    return new StoredEvent(at(after + n + 1), 'Said', 'text', `event ${after + n + 1}`);
  });
}

test('what is kept of a log has no hole, whatever breaks', async () => {
  const { seed } = SeededRandom.fromEnvironment();
  let broken = 0;
  let read = 0;
  for (let run = seed; run < seed + 30; run += 1) {
    const random = new SeededRandom(run);
    const browser = new Browser();
    const options = { maxCachedEventsPerLog: 30, maxCachedEvents: 60 };
    const tabs = [(await browser.device(options)).cache!, (await browser.device(options)).cache!];
    /** Where each tab is in each log. */
    const places = tabs.map(() => LOGS.map(() => 0));
    for (let step = 0; step < 60; step += 1) {
      const tab = random.between(0, 1);
      const cache = tabs[tab]!;
      const which = random.between(0, LOGS.length - 1);
      const log = LOGS[which]!;
      const isNew = random.between(0, 9) === 0;
      const after = places[tab]![which]! + (isNew ? random.between(1, 40) : 0);
      const cursor = after + random.between(0, 12);
      places[tab]![which] = cursor;
      const error = random.pick(['DataError', 'QuotaExceededError', 'AbortError']);
      const times = random.between(0, 5) === 0 ? random.between(1, 4) : 0;
      const faults = abortWrites(['logs', 'chunks'], error, times);
      if (random.between(0, 14) === 0) browser.closeAll();
      cache.add(log, between(after, cursor), at(cursor), { after: at(after), isNew });
      if (random.between(0, 2) === 0 || times > 0) await cache.flush();
      broken += faults.count;
      faults.end();
      const known = await random.pick(tabs).log(log);
      if (known === undefined) continue;
      read += known.events.length;
      const wanted = between(numberOf(known.after), numberOf(known.cursor));
      expect(known.events, `seed ${run}, step ${step}`).toEqual(wanted);
      expect(known.events.length).toBeLessThanOrEqual(30);
    }
  }
  // It is not for want of anything to break, or to read, that it holds.
  expect(broken).toBeGreaterThan(50);
  expect(read).toBeGreaterThan(1_000);
});
