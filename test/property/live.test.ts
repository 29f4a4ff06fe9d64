import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/event/event.ts';
import type { EventId } from '../../src/event/event-id.ts';
import { createLive } from '../../src/live/create-live.ts';
import type { Sink } from '../../src/live/sink.ts';
import type { EventLog, Follower } from '../../src/log/log.ts';
import { randomLog } from '../support/names.ts';
import { LiveRun, READERS, type RunOptions, type TimedMove } from './live-run.ts';
import { SimulatedLog } from './simulated-log.ts';

const small = (max: number) => fc.integer({ min: 1, max });
const reader = fc.nat({ max: READERS - 1 });
/** Mostly the oldest; sometimes one overtakes. */
const choice = fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, fc.nat({ max: 5 }));
const telling = fc.oneof(
  { arbitrary: fc.constant('published' as const), weight: 4 },
  fc.constantFrom('hinted' as const, 'silent' as const),
);
const is = <Name extends string>(...names: Name[]) => fc.constantFrom(...names);
const first = is('beginning', 'now', 'since', 'since later', 'last');

const move = fc.oneof(
  { arbitrary: fc.record({ move: is('grow'), count: small(4), telling }), weight: 8 },
  { arbitrary: fc.record({ move: is('connect'), reader, first }), weight: 4 },
  { arbitrary: fc.record({ move: is('disconnect'), reader }), weight: 2 },
  { arbitrary: fc.record({ move: is('acknowledgeFollow', 'answerRead'), choice }), weight: 10 },
  { arbitrary: fc.record({ move: is('lookFor', 'deliver'), choice }), weight: 8 },
  { arbitrary: fc.record({ move: is('deliverTwice', 'drop'), choice }), weight: 3 },
  { arbitrary: fc.record({ move: is('failRead', 'failFollow'), choice }), weight: 1 },
  { arbitrary: fc.record({ move: is('reconnect', 'sweep', 'retry') }), weight: 3 },
  { arbitrary: fc.record({ move: is('refuse'), reader, times: small(3) }), weight: 2 },
  { arbitrary: fc.record({ move: is('pause', 'resume', 'fill', 'drain'), reader }), weight: 4 },
  { arbitrary: fc.record({ move: is('cutHead', 'loseTail'), count: small(6) }), weight: 2 },
);
const turns = fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, fc.nat({ max: 6 }));
const moves: fc.Arbitrary<TimedMove[]> = fc.array(
  fc.tuple(move, turns).map(([made, passed]) => ({ ...made, turns: passed })),
  { maxLength: 120, size: 'max' },
);

/** Small enough for replays of several pages, windows that overflow and reads that wait for each other. */
const live = fc.record({
  pageEvents: fc.constantFrom(1, 3, 1_000),
  pageBytes: fc.constantFrom(60, 65_536),
  readBudget: fc.constantFrom(100, 16_777_216),
  windowBytes: fc.constantFrom(0, 1_500, 65_536),
});

async function complaintsAfter(options: RunOptions, made: readonly TimedMove[]): Promise<string[]> {
  const run = new LiveRun(options);
  await run.play(made);
  const complaints = await run.verdict();
  run.close();
  return complaints;
}

describe('a subscription', () => {
  it('is in order, gapless, once, honest and in the end live, whatever happens in which order', async () => {
    await fc.assert(
      fc.asyncProperty(live, fc.boolean(), moves, async (options, inTurn, made) => {
        expect(await complaintsAfter({ live: options, inTurn }, made)).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
  });
});

describe('a start in time', () => {
  it('that no event has reached yet names no event that could be lost, and skips what is earlier', async () => {
    const log = new SimulatedLog();
    const live = createLive({ log });
    const told: string[] = [];
    const sink: Sink = {
      ready: () => true,
      batch: ({ events }) => told.push(...events.map(({ id }) => id)),
      live: (at) => told.push(`live at ${at}`),
      trimmed: () => told.push('trimmed'),
      reset: () => told.push('reset'),
      failed: () => told.push('failed'),
    };
    // The simulated clock counts milliseconds from 1,000: the first event comes at 1,001.
    live.subscribe(randomLog(), { since: 1_003 }, sink);
    for (let count = 0; count < 4; count += 1) {
      await rest(log);
      log.reconnect();
      await rest(log);
      log.grow(1, count % 2 === 0 ? 'published' : 'hinted');
    }
    await rest(log);
    expect(told).toEqual(['live at 0-0', '1003-0', '1004-0']);
    live.close();
  });

  async function rest(log: SimulatedLog): Promise<void> {
    do await new Promise(setImmediate);
    while (log.step());
  }
});

describe('a subscription withstands', () => {
  it('publications that no log can have made', async () => {
    const reversed = (log: EventLog) =>
      following(log, (follower) => (previous, events) => {
        follower.events(previous, [...events].reverse());
      });
    await fc.assert(
      fc.asyncProperty(live, moves, async (options, made) => {
        expect(await complaintsAfter({ live: options, sabotage: reversed }, made)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the property notices', () => {
  it.each(Object.entries(sabotages()))('%s', async (_, sabotage) => {
    const result = await fc.check(
      fc.asyncProperty(live, moves, async (options, made) => {
        expect(await complaintsAfter({ live: options, sabotage }, made)).toEqual([]);
      }),
      { numRuns: 2_000, endOnFailure: true },
    );
    expect(result.failed).toBe(true);
  });
});

/** Logs that break the promises on which live rests, so that live cannot keep its own. */
function sabotages(): Record<string, (log: EventLog) => EventLog> {
  return {
    'publications that claim to follow on what is there': (log) =>
      following(log, (follower) => (_previous, events) => {
        follower.events(follower.position(), events);
      }),
    'publications that leave out their last event': (log) =>
      following(log, (follower) => (previous, events) => {
        if (events.length > 1) follower.events(previous, events.slice(0, -1));
        else follower.events(previous, events);
      }),
    'pages that leave out an event': (log) => ({
      ...passing(log),
      read: async (name, options) => {
        const page = await log.read(name, options);
        return { ...page, events: page.events.filter((_, index) => index !== 1) };
      },
    }),
    'a read that never says reset or trimmed': (log) => ({
      ...passing(log),
      read: async (name, options) => ({
        ...(await log.read(name, options)),
        standing: { state: 'whole' },
      }),
    }),
    'a store that owes a wake-up': (log) => ({
      ...passing(log),
      follow: (name, follower) =>
        log.follow(name, {
          events: (previous, events) => follower.events(previous, events),
          position: () => follower.position(),
          wake: () => {},
        }),
    }),
  };
}

function following(
  log: EventLog,
  events: (follower: Follower) => (previous: EventId, events: readonly StoredEvent[]) => void,
): EventLog {
  return {
    ...passing(log),
    follow: (name, follower) =>
      log.follow(name, {
        events: events(follower),
        wake: () => follower.wake(),
        position: () => follower.position(),
      }),
  };
}

function passing(log: EventLog): EventLog {
  return {
    append: (...args) => log.append(...args),
    read: (...args) => log.read(...args),
    before: (...args) => log.before(...args),
    follow: (...args) => log.follow(...args),
    trim: (...args) => log.trim(...args),
    feed: (...args) => log.feed(...args),
    followFeed: (...args) => log.followFeed(...args),
    feedEnd: () => log.feedEnd(),
    describe: () => log.describe(),
    close: () => log.close(),
  };
}
