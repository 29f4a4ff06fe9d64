/** Reads the feed to its end, and checks on the way what must hold of any page. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { type EventId, isAfter } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { FeedCursor, FeedItem, FeedOptions, FeedPage } from '../../../feed/feed.ts';
import type { EventLog } from '../../../log/log.ts';

export class FeedFollower {
  readonly #eventLog: EventLog;
  readonly #logs: ReadonlySet<LogName>;
  readonly #options: FeedOptions;
  cursor: FeedCursor;
  /** Those of the logs asked for, in feed order. */
  readonly items: FeedItem[] = [];
  readonly standings: string[] = [];
  position = 0;

  /** @param logs whose events are of interest: a store may be shared with other tests */
  constructor(
    eventLog: EventLog,
    logs: readonly LogName[],
    cursor: FeedCursor,
    options: FeedOptions = {},
  ) {
    this.#eventLog = eventLog;
    this.#logs = new Set(logs);
    this.#options = options;
    this.cursor = cursor;
  }

  async page(): Promise<FeedPage> {
    const page = await this.#eventLog.feed({ ...this.#options, after: this.cursor });
    deepStrictEqual([...page], page.items, 'a page gives the same by itself as by its items');
    strictEqual(page.torn, page.items.find(({ whole }) => !whole)?.log);
    const { limit = 1000 } = this.#options;
    const count = page.items.reduce((sum, { events }) => sum + events.length, 0);
    ok(count <= limit, `${count} events on a page of at most ${limit}`);
    ok(page.position <= page.end);
    strictEqual(page.more, page.position < page.end);
    if (page.standing === 'whole') ok(page.position >= this.position, 'positions never go back');
    else this.standings.push(page.standing);
    this.position = page.position;
    this.cursor = page.cursor;
    this.items.push(...page.items.filter(({ log }) => this.#logs.has(log)));
    return page;
  }

  async toTheEnd(): Promise<this> {
    while ((await this.page()).more);
    return this;
  }

  idsOf(log: LogName): EventId[] {
    return this.items
      .filter((item) => item.log === log)
      .flatMap(({ events }) => events.map(({ id }) => id));
  }

  /** Of each log in order, each event once, and exactly these. */
  assertRead(expected: ReadonlyMap<LogName, readonly EventId[]>): void {
    for (const [log, ids] of expected) {
      const got = this.idsOf(log);
      for (let index = 1; index < got.length; index += 1) {
        ok(isAfter(got[index]!, got[index - 1]!), `${log}: ${got[index]} after ${got[index - 1]}`);
      }
      deepStrictEqual(got, ids);
    }
  }
}
