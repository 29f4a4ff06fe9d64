import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventId, makeEventId, ZERO_ID } from '../../../src/event/event-id.ts';
import type { Fault } from '../../support/complaint.ts';
import type { AppendRecord, LogHistory, ReaderStep } from '../../support/history.ts';
import { checkHistory } from '../../support/history-checker.ts';

const id = (n: number): EventId => makeEventId(1_000 + n, 0);
const tag = (n: number): string => `tag-${n}`;
const stored = (n: number) => ({ id: id(n), tag: tag(n) });
const got = (n: number): ReaderStep => ({ step: 'event', ...stored(n) });
const connected = (after: EventId): ReaderStep => ({ step: 'connected', after });
const reset = (n: number): ReaderStep => ({ step: 'reset', version: id(n) });
const acknowledged = (...numbers: number[]): AppendRecord => ({
  writer: `writer-${numbers[0]}`,
  tags: numbers.map(tag),
  ids: numbers.map(id),
  outcome: 'acknowledged',
});

/** Five events, all acknowledged, all read by one reader that reconnects once in between. */
function sound(change: Partial<LogHistory> = {}): LogHistory {
  return {
    log: 'account:1',
    appends: [acknowledged(1), acknowledged(2, 3), acknowledged(4), acknowledged(5)],
    events: [1, 2, 3, 4, 5].map(stored),
    readers: [
      {
        reader: 'reader-1',
        steps: [connected(ZERO_ID), ...[1, 2].map(got), connected(id(2)), ...[3, 4, 5].map(got)],
      },
    ],
    ...change,
  };
}

function withSteps(...steps: ReaderStep[]): LogHistory {
  return sound({ readers: [{ reader: 'reader-1', steps }] });
}

function faults(history: LogHistory): Fault[] {
  return checkHistory(history).map((complaint) => complaint.fault);
}

describe('the history checker, about the log', () => {
  it('has nothing to say about a sound run', () => {
    expect(checkHistory(sound())).toEqual([]);
  });

  it('names an acknowledged event that is missing', () => {
    const history = sound({ events: [1, 2, 3, 4].map(stored), readers: [] });
    expect(checkHistory(history)).toEqual([
      {
        fault: 'acknowledged_missing',
        message: `account:1, writer-5: acknowledged as ${id(5)}, not in the log: tag-5`,
      },
    ]);
  });

  it('names an event that is in the log twice, acknowledged or not', () => {
    const again = { id: id(6), tag: tag(4) };
    const events = [...[1, 2, 3, 4, 5].map(stored), again];
    expect(faults(sound({ events, readers: [] }))).toEqual(['appended_twice']);
    const unknown: AppendRecord = { writer: 'w', tags: [tag(4)], ids: [], outcome: 'unknown' };
    const appends = [acknowledged(1), acknowledged(2, 3), unknown, acknowledged(5)];
    expect(faults(sound({ appends, events, readers: [] }))).toEqual(['appended_twice']);
  });

  it('lets an append with an unknown outcome be there once or not at all', () => {
    const unknown: AppendRecord = { writer: 'w', tags: [tag(6)], ids: [], outcome: 'unknown' };
    const appends = [...sound().appends, unknown];
    expect(faults(sound({ appends }))).toEqual([]);
    expect(faults(sound({ appends, events: [1, 2, 3, 4, 5, 6].map(stored), readers: [] }))).toEqual(
      [],
    );
  });

  it('complains when an append that was refused is in the log', () => {
    const refused: AppendRecord = { writer: 'w', tags: [tag(6)], ids: [], outcome: 'refused' };
    const appends = [...sound().appends, refused];
    expect(faults(sound({ appends }))).toEqual([]);
    const events = [1, 2, 3, 4, 5, 6].map(stored);
    expect(faults(sound({ appends, events, readers: [] }))).toEqual(['refused_but_there']);
  });

  it('complains about an event that nobody appended', () => {
    const events = [1, 2, 3, 4, 5, 6].map(stored);
    expect(faults(sound({ events, readers: [] }))).toEqual(['foreign_in_log']);
  });

  it('complains about half an append, and about one that lies apart', () => {
    const half = [1, 2, 4, 5].map(stored);
    expect(faults(sound({ events: half, readers: [] }))).toEqual(['not_atomic']);
    const apart = [1, 2, 4, 3, 5].map((n, index) => ({ id: id(index + 1), tag: tag(n) }));
    expect(faults(sound({ events: apart, readers: [] }))).toContain('not_atomic');
  });

  it('complains about a log out of order, and about an ID that was answered wrong', () => {
    const events = [1, 2, 3, 5, 4].map(stored);
    expect(faults(sound({ events, readers: [] }))).toEqual(['log_out_of_order']);
    const swapped = [1, 2, 3, 5, 4].map((n, index) => ({ id: id(index + 1), tag: tag(n) }));
    expect(faults(sound({ events: swapped, readers: [] }))).toEqual([
      'wrong_id_answered',
      'wrong_id_answered',
    ]);
  });

  it('complains when the appends of one writer lie in another order', () => {
    const appends = [5, 4, 2, 1].map((n) => ({
      ...acknowledged(...(n === 2 ? [2, 3] : [n])),
      writer: 'w',
    }));
    expect(faults(sound({ appends, readers: [] }))).toEqual([
      'writer_out_of_order',
      'writer_out_of_order',
      'writer_out_of_order',
    ]);
  });
});

describe('the history checker, about a reader', () => {
  it('names the event that a reader missed in the middle, at the end, and over a reconnect', () => {
    expect(checkHistory(withSteps(connected(ZERO_ID), ...[1, 2, 4, 5].map(got)))).toEqual([
      {
        fault: 'reader_missed',
        message: `account:1, reader-1: was at ${id(2)}, then ${id(4)} came; missing: tag-3 (${id(3)})`,
      },
    ]);
    expect(faults(withSteps(connected(ZERO_ID), ...[1, 2, 3, 4].map(got)))).toEqual([
      'reader_missed',
    ]);
    expect(
      faults(withSteps(connected(ZERO_ID), got(1), connected(id(1)), ...[3, 4, 5].map(got))),
    ).toEqual(['reader_missed']);
  });

  it('names a doubled event, at once and over a reconnect', () => {
    expect(faults(withSteps(connected(ZERO_ID), ...[1, 2, 2, 3, 4, 5].map(got)))).toEqual([
      'reader_got_twice',
    ]);
    expect(
      faults(
        withSteps(
          connected(ZERO_ID),
          ...[1, 2].map(got),
          connected(id(2)),
          ...[2, 3, 4, 5].map(got),
        ),
      ),
    ).toEqual(['reader_got_twice']);
  });

  it('complains about swapped events', () => {
    expect(faults(withSteps(connected(ZERO_ID), ...[1, 3, 2, 4, 5].map(got)))).toContain(
      'reader_out_of_order',
    );
  });

  it('complains about an event that is not in the log, or is another one there', () => {
    expect(faults(withSteps(connected(ZERO_ID), ...[1, 2, 3, 4, 5, 6].map(got)))).toEqual([
      'reader_got_foreign',
    ]);
    const altered: ReaderStep = { step: 'event', id: id(3), tag: tag(33) };
    expect(
      faults(withSteps(connected(ZERO_ID), got(1), got(2), altered, got(4), got(5))),
    ).toContain('reader_got_foreign');
  });

  it('wants only what lies above the cursor of the first connection', () => {
    expect(faults(withSteps(connected(id(3)), ...[4, 5].map(got)))).toEqual([]);
    expect(faults(withSteps(connected(id(3)), ...[3, 4, 5].map(got)))).toEqual([
      'reader_out_of_order',
    ]);
  });

  it('complains about a run whose reader resumed from another place than its own', () => {
    expect(
      faults(withSteps(connected(ZERO_ID), ...[1, 2, 3].map(got), connected(id(4)), got(5))),
    ).toContain('resumed_elsewhere');
  });
});

describe('the history checker, about trimming and losses', () => {
  const lossy = (events: number[], ...steps: ReaderStep[]) =>
    sound({
      events: events.map(stored),
      lossyStore: true,
      readers: [{ reader: 'reader-1', steps }],
    });

  it('accepts a reader that is told of a loss and starts afresh', () => {
    const steps = [
      connected(ZERO_ID),
      ...[1, 2, 3, 4, 5].map(got),
      reset(3),
      ...[1, 2, 3].map(got),
    ];
    expect(faults(lossy([1, 2, 3], ...steps))).toEqual([]);
  });

  it('complains when a loss is never told', () => {
    expect(faults(lossy([1, 2, 3], connected(ZERO_ID), ...[1, 2, 3, 4].map(got)))).toEqual([
      'untold_loss',
    ]);
  });

  it('complains when a reader goes on over a loss with newer events', () => {
    const history = lossy([1, 2, 3, 5], connected(ZERO_ID), ...[1, 2, 3, 4, 5].map(got));
    expect(faults(history)).toEqual(['untold_loss']);
  });

  it('complains when a reader that was told does not get everything afresh', () => {
    const steps = [connected(ZERO_ID), ...[1, 2, 3, 4].map(got), reset(3), ...[2, 3].map(got)];
    expect(faults(lossy([1, 2, 3], ...steps))).toEqual(['reader_missed']);
  });

  it('complains about a reset without a loss', () => {
    expect(
      faults(withSteps(connected(ZERO_ID), got(1), reset(5), ...[1, 2, 3, 4, 5].map(got))),
    ).toEqual(['needless_reset']);
  });

  it('lets a trimmed reader go on after the mark, and only there', () => {
    const trimmed = (n: number): ReaderStep => ({ step: 'trimmed', resumeAfter: id(n) });
    const history = (...steps: ReaderStep[]) =>
      sound({
        events: [4, 5].map(stored),
        trimmed: id(3),
        readers: [{ reader: 'reader-1', steps }],
      });
    expect(faults(history(connected(ZERO_ID), got(1), trimmed(3), got(4), got(5)))).toEqual([]);
    expect(faults(history(connected(ZERO_ID), got(1), trimmed(4), got(5)))).toEqual([
      'untrue_trimmed',
    ]);
    expect(faults(history(connected(ZERO_ID), got(1), trimmed(3), got(5)))).toEqual([
      'reader_missed',
    ]);
    expect(faults(withSteps(connected(ZERO_ID), trimmed(3), got(4), got(5)))).toEqual([
      'untrue_trimmed',
    ]);
  });
});

describe('the history checker, on generated runs', () => {
  const run = fc.record({
    count: fc.integer({ min: 1, max: 30 }),
    cuts: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 5 }),
    at: fc.nat(),
  });

  function build({ count, cuts }: { count: number; cuts: number[] }) {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const steps: ReaderStep[] = [connected(ZERO_ID)];
    for (const n of numbers) {
      steps.push(got(n));
      if (cuts.includes(n)) steps.push(connected(id(n)));
    }
    const appends = numbers.map((n) => acknowledged(n));
    return { appends, events: numbers.map(stored), steps };
  }

  interface Judged extends Pick<LogHistory, 'appends' | 'events'> {
    readonly steps: readonly ReaderStep[];
  }

  function judge({ steps, ...log }: Judged): Fault[] {
    return faults({ log: 'account:1', ...log, readers: [{ reader: 'reader-1', steps }] });
  }

  it('finds no fault in a sound one', () => {
    fc.assert(
      fc.property(run, (shape) => {
        expect(judge(build(shape))).toEqual([]);
      }),
    );
  });

  const mutations: Record<string, (steps: ReaderStep[], place: number) => ReaderStep[]> = {
    'one event missing': (steps, place) => steps.toSpliced(place, 1),
    'one event doubled': (steps, place) => steps.toSpliced(place, 0, steps[place]!),
    'one event too late': (steps, place) => [...steps.toSpliced(place, 1), steps[place]!],
    'a foreign event': (steps, place) => steps.toSpliced(place, 0, got(99)),
    'a needless reset': (steps, place) => steps.toSpliced(place, 0, reset(1)),
  };
  for (const [name, mutate] of Object.entries(mutations)) {
    it(`complains about a reader with ${name}`, () => {
      fc.assert(
        fc.property(run, (shape) => {
          const built = build(shape);
          const places = built.steps.flatMap((step, index) =>
            step.step === 'event' ? [index] : [],
          );
          const place = places[shape.at % places.length]!;
          const steps = mutate(built.steps, place);
          fc.pre(JSON.stringify(steps) !== JSON.stringify(built.steps));
          expect(judge({ ...built, steps })).not.toEqual([]);
        }),
      );
    });
  }

  const logMutations: Record<
    string,
    (events: LogHistory['events'], place: number) => LogHistory['events']
  > = {
    'one event missing': (events, place) => events.toSpliced(place, 1),
    'one event doubled': (events, place) => [...events, { id: id(99), tag: events[place]!.tag }],
    'two events swapped': (events, place) =>
      events.map((event, index) => {
        if (index === place) return { id: event.id, tag: events.at(place - 1)!.tag };
        if (index === (place + events.length - 1) % events.length)
          return { id: event.id, tag: events[place]!.tag };
        return event;
      }),
    'a foreign event': (events) => [...events, stored(99)],
  };
  for (const [name, mutate] of Object.entries(logMutations)) {
    it(`complains about a log with ${name}`, () => {
      fc.assert(
        fc.property(run, (shape) => {
          const built = build(shape);
          const events = mutate(built.events, shape.at % built.events.length);
          fc.pre(JSON.stringify(events) !== JSON.stringify(built.events));
          expect(judge({ ...built, events })).not.toEqual([]);
        }),
      );
    });
  }
});
