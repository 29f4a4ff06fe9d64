/** Readers come and go with any starts while their log grows, is trimmed, loses its end and is connected again. */
import { expect, test } from 'vitest';
import { createChannels, type LogChannels } from '../../../../src/client/logs/channels.ts';
import type { ClientStart } from '../../../../src/client/upstream.ts';
import type { StoredEvent } from '../../../../src/event/event.ts';
import { compareEventIds, type EventId, ZERO_ID } from '../../../../src/event/event-id.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { LOG, ModelLog, ModelUpstream } from './model-upstream.ts';

/** What a reader makes of what it is told. */
class ModelReader {
  readonly start: ClientStart;
  readonly close: () => void;
  /** Since it last had to forget everything. */
  events: StoredEvent[] = [];
  trimmed: EventId = ZERO_ID;
  isLive = false;
  isReset = false;
  isClosed = false;
  isOpening = true;

  constructor(channels: LogChannels, start: ClientStart) {
    this.start = start;
    const told =
      <Parameters extends unknown[]>(tell: (...parameters: Parameters) => void) =>
      (...parameters: Parameters) => {
        expect(this.isOpening, 'told from within open').toBe(false);
        expect(this.isClosed, 'told after it was closed').toBe(false);
        tell(...parameters);
      };
    this.close = channels.open(LOG, start, {
      events: told((events) => {
        expect(events.length).toBeGreaterThan(0);
        for (const event of events) {
          const last = this.events.at(-1);
          if (last) expect(compareEventIds(event.id, last.id)).toBeGreaterThan(0);
          this.events.push(event);
        }
      }),
      live: told(() => {
        this.isLive = true;
      }),
      trimmed: told((resumeAfter) => {
        this.trimmed = resumeAfter;
        this.isLive = false;
      }),
      reset: told(() => {
        this.events = [];
        this.isReset = true;
        this.isLive = false;
      }),
      failed: told(() => {
        throw new Error('failed');
      }),
    });
    this.isOpening = false;
  }
}

function startOf(random: SeededRandom, log: ModelLog): ClientStart {
  const any = () => (log.all.length === 0 ? ZERO_ID : random.pick(log.all).id);
  switch (random.between(0, 5)) {
    case 0:
      return 'now';
    case 1:
      return { after: ZERO_ID };
    case 2:
      return { since: Number.parseInt(any(), 10) };
    case 3:
      return { last: random.between(1, 30) };
    default:
      return { after: any() };
  }
}

/** All went by that the reader asked for, as the log is in the end. */
function check(reader: ModelReader, log: ModelLog): void {
  const { start } = reader;
  expect(reader.isLive).toBe(true);
  const ids = log.all.map(({ id }) => id);
  const got = reader.events.map(({ id }) => id);
  const notLost = got.filter((id) => compareEventIds(id, reader.trimmed) > 0);
  expect(ids, 'has only what the log has').toEqual(expect.arrayContaining(notLost));
  let first = got.length === 0 ? ids.length : ids.indexOf(got[0]!);
  // These starts are not checked: it is not told what of them was trimmed before.
  const unchecked = got.length === 0 ? log.trimmedTo : got[0]!;
  let told = reader.trimmed;
  if (reader.isReset) {
    first = 0;
    told = log.trimmedTo;
  } else if (start !== 'now' && 'after' in start) {
    first = ids.filter((id) => compareEventIds(id, start.after) <= 0).length;
  } else if (start !== 'now' && 'since' in start) {
    first = ids.filter((id) => Number.parseInt(id, 10) < start.since).length;
    if (compareEventIds(unchecked, told) > 0) told = unchecked;
    if (compareEventIds(log.trimmedTo, told) < 0) told = log.trimmedTo;
  }
  const has = new Set(got);
  const silent = ids.slice(first).filter((id) => !has.has(id) && compareEventIds(id, told) > 0);
  expect(silent, `missing without a word, from ${JSON.stringify(start)}`).toEqual([]);
}

test.each([
  ['only grows', false, false],
  ['is trimmed, too', true, false],
  ['loses its end, too', true, true],
])(
  'each reader gets its events once and in order, of a log that %s',
  async (_name, trims, loses) => {
    const first = SeededRandom.fromEnvironment().seed;
    for (let seed = first; seed < first + 100; seed += 1) {
      const random = new SeededRandom(seed);
      const log = new ModelLog();
      log.append(random.between(0, 60));
      const upstream = new ModelUpstream(log, () => channels.receiver);
      const channels = createChannels(() => upstream);
      let readers: ModelReader[] = [];
      const happened: string[] = [];
      try {
        for (let round = 0; round < 60; round += 1) {
          const what = random.between(0, 9);
          happened.push(String(what));
          if (what <= 1) {
            const start = startOf(random, log);
            happened.push(JSON.stringify(start));
            readers.push(new ModelReader(channels, start));
          } else if (what === 2 && readers.length > 0) {
            const reader = random.pick(readers);
            reader.close();
            reader.isClosed = true;
            readers = readers.filter((other) => other !== reader);
          } else if (what === 3) log.append(random.between(1, 20));
          else if (what === 4 && trims) {
            log.trim(random.between(0, 10));
            upstream.reconnect();
          } else if (what === 5 && loses) {
            log.lose(random.between(1, 10));
            upstream.reconnect();
          } else if (what === 6) upstream.reconnect();
          else upstream.step(random.between(1, 8));
          if (random.between(0, 1) === 0)
            await Promise.resolve()
              .then(() => {})
              .then(() => {});
        }
        for (let turn = 0; turn < 5; turn += 1) {
          await Promise.resolve()
            .then(() => {})
            .then(() => {});
          upstream.run();
        }
        for (const reader of readers) check(reader, log);
      } catch (cause) {
        throw new Error(`seed ${seed}: ${happened.join(' ')}`, { cause });
      }
    }
  },
);
