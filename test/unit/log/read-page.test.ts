/** What a page is, upon what stores can see: how often they are looked at, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import { StoredEvent } from '../../../src/event/event.ts';
import { compareEventIds, type EventId, isAfter, ZERO_ID } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import type { Look, Sight } from '../../../src/log/kept-logs.ts';
import type { ReadOptions } from '../../../src/log/log.ts';
import { parseReadOptions } from '../../../src/log/options.ts';
import { takePage } from '../../../src/log/page.ts';
import { readPage } from '../../../src/log/read-page.ts';

const LOG = 'test:1' as LogName;
const id = (text: string) => text as EventId;

/** A log at one moment: what is kept, and what is known of what is not. */
interface Moment {
  readonly kept: readonly string[];
  readonly trimmed?: string;
  readonly version?: string;
  /** Others have removed all up to here. */
  readonly othersTrimmed?: boolean;
}

/** A log that each look finds at its next moment, and at the last one from then on. */
class ChangingLog {
  readonly looks: Look[] = [];
  readonly #moments: readonly Moment[];

  constructor(...moments: Moment[]) {
    this.#moments = moments;
  }

  async look(_log: LogName, look: Look): Promise<Sight> {
    this.looks.push(look);
    const { cursor, range, limit, maxBytes } = look;
    const moment = this.#moments[Math.min(this.looks.length, this.#moments.length) - 1]!;
    const ids = moment.kept.map(id);
    const version = id(moment.version ?? moment.kept.at(-1) ?? '0-0');
    const seen = ids
      .filter((each) => isAfter(each, range.after))
      .filter((each) => range.before === undefined || isAfter(range.before, each));
    if (range.reverse) seen.reverse();
    const events = seen.map((each) => new StoredEvent(each, 'T', 'text', 'payload'));
    return {
      version,
      stamp: 'not looked at',
      facts:
        cursor === undefined
          ? undefined
          : {
              version,
              first: ids[0],
              trimmed: id(moment.trimmed ?? '0-0'),
              maxDeleted: ZERO_ID,
              othersRemoved: moment.othersTrimmed ?? false,
              holdsCursor: ids.includes(cursor),
            },
      ...takePage(events, limit, maxBytes),
    };
  }

  async read(options: ReadOptions) {
    const { events, ...page } = await readPage(this, LOG, parseReadOptions(options));
    return { ...page, ids: events.map((event) => event.id), looks: this.looks.length };
  }
}

const WHOLE = { state: 'whole' };

describe('a page is one look', () => {
  it('after a cursor that is held', async () => {
    const log = new ChangingLog({ kept: ['1-0', '2-0', '3-0', '4-0'] });
    expect(await log.read({ after: id('1-0'), limit: 2 })).toEqual({
      ids: ['2-0', '3-0'],
      more: true,
      version: '4-0',
      standing: WHOLE,
      looks: 1,
    });
  });

  it('from the start, and at the end', async () => {
    const kept = ['1-0', '2-0'];
    expect(await new ChangingLog({ kept }).read({})).toMatchObject({ ids: kept, looks: 1 });
    expect(await new ChangingLog({ kept }).read({ after: id('2-0') })).toMatchObject({
      ids: [],
      looks: 1,
    });
    expect(await new ChangingLog({ kept: [] }).read({})).toMatchObject({ ids: [], looks: 1 });
  });

  it.each<[string, Moment, string]>([
    ['by us', { kept: ['4-0', '5-0'], trimmed: '3-0' }, '3-0'],
    ['by others', { kept: ['4-0', '5-0'], othersTrimmed: true }, '3-18446744073709551615'],
  ])('for a reader below what was trimmed %s', async (_whose, moment, resumeAfter) => {
    for (const after of ['0-0', '2-0']) {
      expect(await new ChangingLog(moment).read({ after: id(after), limit: 1 })).toEqual({
        ids: ['4-0'],
        more: true,
        version: '5-0',
        standing: { state: 'trimmed', resumeAfter },
        looks: 1,
      });
    }
  });

  it('for a reader who is told nothing, whose facts nobody asks for', async () => {
    for (const options of [{ reverse: true }, { unchecked: true }]) {
      const log = new ChangingLog({ kept: ['4-0', '5-0'], trimmed: '3-0' });
      const page = await log.read({ after: id('2-0'), limit: 1, ...options });
      expect(page).toMatchObject({ more: true, standing: WHOLE, looks: 1 });
      expect(log.looks[0]!.cursor).toBeUndefined();
    }
  });
});

describe('who is reset', () => {
  it('gets the log from its first event, with a second look', async () => {
    const log = new ChangingLog({ kept: ['1-0', '3-0', '5-0'] });
    for (const after of ['2-0', '9-0']) {
      log.looks.length = 0;
      expect(await log.read({ after: id(after), before: id('5-0') })).toEqual({
        ids: ['1-0', '3-0'],
        more: false,
        version: '5-0',
        standing: { state: 'reset', version: '5-0' },
        looks: 2,
      });
    }
  });

  it('is told the version of the moment that the events are of', async () => {
    const log = new ChangingLog({ kept: ['1-0'] }, { kept: ['1-0', '3-0'] });
    expect(await log.read({ after: id('9-0') })).toMatchObject({
      ids: ['1-0', '3-0'],
      standing: { state: 'reset', version: '3-0' },
    });
  });

  it('is told of a trim instead that came between the looks', async () => {
    const log = new ChangingLog(
      { kept: ['1-0', '3-0'] },
      { kept: ['8-0', '9-0'], trimmed: '7-0', version: '9-0' },
    );
    expect(await log.read({ after: id('5-0') })).toMatchObject({
      ids: ['8-0', '9-0'],
      standing: { state: 'trimmed', resumeAfter: '7-0' },
      looks: 2,
    });
  });

  it('goes on after its cursor when the log has come back between the looks', async () => {
    const log = new ChangingLog({ kept: ['1-0'] }, { kept: ['1-0', '5-0', '6-0'] });
    expect(await log.read({ after: id('5-0') })).toMatchObject({
      ids: ['6-0'],
      standing: WHOLE,
      looks: 3,
    });
  });
});

it('is the log in order, whatever happens to it while a reader pages through', async () => {
  const all = Array.from({ length: 9 }, (_, index) => `${index + 1}-0`);
  for (let mark = 0; mark <= 9; mark += 1) {
    const trimmed: Moment = { kept: all.slice(mark), trimmed: `${mark}-0`, version: '9-0' };
    const log = new ChangingLog({ kept: all, version: '9-0' }, trimmed);
    const seen: string[] = [];
    let after = ZERO_ID;
    for (let more = true; more; ) {
      const page = await log.read({ after, limit: 2 });
      if (page.standing.state === 'trimmed') after = page.standing.resumeAfter;
      seen.push(...page.ids);
      after = page.ids.at(-1) ?? after;
      more = page.more;
    }
    expect(seen).toEqual(
      all.filter((each, index) => index < 2 || isAfter(id(each), id(`${mark}-0`))),
    );
    expect(seen).toEqual(seen.toSorted((a, b) => compareEventIds(id(a), id(b))));
  }
});
