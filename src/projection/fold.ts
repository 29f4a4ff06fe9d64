/**
 * Folds pages of events into rows, and commits them with their checkpoint.
 *
 *   page ─► decode, which rows ─► rows that are missing: one read ─► handlers ─► changed rows
 *                                                                                   │ JSON, once a page
 *           next page … ◄── meanwhile ──────────────────────── read model ◄── commit┘
 *
 * States stay in memory from page to page, which holds as long as nobody else commits and every
 * commit succeeds; otherwise all of them are forgotten.
 */
import { copyOf } from '../event/copy.ts';
import { InvalidInput, MillraceError } from '../event/error.ts';
import type { StoredEvent } from '../event/event.ts';
import type { LogName } from '../event/log-name.ts';
import { jsonValueRule, lostInJson } from '../event/lost-in-json.ts';
import { OutcomeUnknown, Unavailable } from '../event/store-errors.ts';
import { comesLater, isA } from '../event/thrown.ts';
import { FEED_START, type FeedCursor, type FeedItem } from '../feed/feed.ts';
import type { Notice } from '../metrics/notice.ts';
import type { CommitOutcome, ReadModel } from '../read-models/read-models.ts';
import { checkRowKey } from '../read-models/rules.ts';
import { EventReading } from '../typed/event-reading.ts';
import type { Recorded } from '../typed/event-types.ts';
import type { ProjectionDefinition, RowHandler } from './definition.ts';
import { EventFailed, placeOf } from './errors.ts';
import type { FeedTarget } from './feed-target.ts';
import { ordinaryOnly } from './ordinary-only.ts';
import { type Row, RowCache } from './row-cache.ts';

/** After so many events others get a turn of the event loop. */
const EVENTS_PER_TURN = 2_000;

type AnyEvent = Recorded<string, unknown>;
type Handler<State> = RowHandler<State, AnyEvent>;

/** What of a definition the fold goes by, without the types that its author saw. */
interface Rules<State> {
  readonly handlers: ReadonlyMap<string, Handler<State>>;
  /** Undefined for an event that counts for nothing. */
  readonly decode: (log: LogName, stored: StoredEvent) => AnyEvent | undefined;
  readonly reading: Pick<EventReading<AnyEvent>, 'passedOver' | 'passOver'>;
  readonly keyOf: (event: AnyEvent) => string | readonly string[] | undefined;
  readonly initial: () => State;
}

export function rulesOf<State, Payloads extends object>(
  definition: ProjectionDefinition<State, Payloads>,
  by: string,
  notice: (notice: Notice) => void,
): Rules<State> {
  const { events, writers, category, key, initial, on } = definition;
  const reading = new EventReading<AnyEvent>({ events, writers, by, notice });
  // The compiler has checked handlers against events where the definition was made.
  const handlers = new Map(Object.entries(on)) as ReadonlyMap<string, Handler<State>>;
  return {
    handlers,
    decode: ordinaryOnly(
      category,
      events === undefined
        ? (log, stored) => (handlers.has(stored.type) ? reading.read(log, stored) : undefined)
        : (log, stored) => reading.read(log, stored),
    ),
    reading,
    keyOf: (key as Rules<State>['keyOf'] | undefined) ?? ((event) => event.log),
    initial,
  };
}

/** One event for one row, which has to be read first, or comes after one that has to. */
interface Step<State> {
  readonly row: Row<State>;
  readonly event: AnyEvent;
  readonly handler: Handler<State>;
  readonly index: number;
}

export class Fold<State> implements FeedTarget {
  readonly #readModel: ReadModel;
  readonly #table: () => string;
  readonly #handlers: ReadonlyMap<string, Handler<State>>;
  readonly #decode: Rules<State>['decode'];
  readonly #keyOf: Rules<State>['keyOf'];
  readonly #initial: Rules<State>['initial'];
  readonly #cache = new RowCache<State>();
  #changed = new Set<Row<State>>();
  /** What is being committed: the store may not have it yet. */
  #underWay: ReadonlyMap<string, string | null> = new Map();

  constructor(
    { handlers, decode, keyOf, initial }: Omit<Rules<State>, 'reading'>,
    readModel: ReadModel,
    table: () => string,
  ) {
    this.#readModel = readModel;
    this.#table = table;
    this.#handlers = handlers;
    this.#decode = decode;
    this.#keyOf = keyOf;
    this.#initial = initial;
  }

  async peek(): Promise<FeedCursor | null> {
    const checkpoint = await this.#ask(Unavailable, () =>
      this.#readModel.checkpoint(this.#table()),
    );
    return checkpoint?.cursor ?? null;
  }

  async begin(token: number): Promise<{ readonly cursor: FeedCursor } | 'fenced'> {
    for (;;) {
      const expected = await this.peek();
      const cursor = expected ?? FEED_START;
      const step = { changes: new Map(), expected, next: cursor, token };
      const outcome = await this.#ask(OutcomeUnknown, () =>
        this.#readModel.commit(this.#table(), step),
      );
      if (outcome === 'fenced') return 'fenced';
      if (outcome === 'changed') continue;
      this.forget();
      if (expected === null) this.#cache.clear(true);
      return { cursor };
    }
  }

  async apply(items: Iterable<FeedItem>): Promise<boolean> {
    const waiting: Step<State>[] = [];
    const missing = new Set<Row<State>>();
    let index = 0;
    for (const { log, events } of items) {
      for (const stored of events) {
        try {
          this.#take(log, stored, index, waiting, missing);
        } catch (cause) {
          throw new EventFailed(index, placeOf(log, stored), cause);
        }
        index += 1;
        if (index % EVENTS_PER_TURN === 0) await nextTurn();
      }
    }
    if (missing.size > 0) await this.#load([...missing]);
    for (let from = 0; from < waiting.length; from += EVENTS_PER_TURN) {
      if (from > 0) await nextTurn();
      this.#run(waiting.slice(from, from + EVENTS_PER_TURN));
    }
    return this.#changed.size > 0;
  }

  commit(expected: FeedCursor, next: FeedCursor, token: number): Promise<CommitOutcome> {
    const changes = new Map<string, string | null>();
    for (const row of this.#changed) {
      const text = row.state === undefined ? null : textOf(row.state);
      changes.set(row.key, text);
      row.changed = false;
      this.#cache.resize(row, text?.length ?? 0);
    }
    this.#changed = new Set();
    this.#underWay = changes;
    this.#cache.settle();
    return this.#ask(OutcomeUnknown, () =>
      this.#readModel.commit(this.#table(), { changes, expected, next, token }),
    );
  }

  forget(): void {
    this.#cache.clear(false);
    this.#changed = new Set();
    this.#underWay = new Map();
  }

  /** Hands the event to its rows at once, as long as all rows so far were at hand. */
  #take(
    log: LogName,
    stored: StoredEvent,
    index: number,
    waiting: Step<State>[],
    missing: Set<Row<State>>,
  ): void {
    const event = this.#decode(log, stored);
    if (event === undefined) return;
    const handler = this.#handlers.get(event.type);
    if (handler === undefined) return;
    const keys = this.#keyOf(event);
    if (keys === undefined) return;
    if (comesLater(keys)) throw asynchronous('key');
    for (const key of typeof keys === 'string' ? [keys] : new Set(keys)) {
      const row = this.#cache.row(key);
      if (!row.checked) checkRowKey(key);
      row.checked = true;
      if (!row.loaded) missing.add(row);
      if (missing.size === 0) this.#handle(row, event, handler);
      else waiting.push({ row, event, handler, index });
    }
  }

  async #load(rows: readonly Row<State>[]): Promise<void> {
    const elsewhere = rows.filter(({ key }) => !this.#underWay.has(key));
    const keys = elsewhere.map(({ key }) => key);
    const texts = await this.#ask(Unavailable, () => this.#readModel.get(this.#table(), keys));
    const found = new Map(elsewhere.map((row, index) => [row, texts[index] ?? null]));
    for (const row of rows) {
      const text = found.get(row) ?? this.#underWay.get(row.key) ?? null;
      if (text !== null) {
        row.state = JSON.parse(text) as State;
        this.#cache.resize(row, text.length);
      }
      row.loaded = true;
    }
  }

  /** What a read model of the application fails with is no error of ours. */
  async #ask<T>(
    failure: typeof Unavailable | typeof OutcomeUnknown,
    question: () => Promise<T>,
  ): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (isA(error, MillraceError)) throw error;
      throw new failure('the read model failed', { cause: error });
    }
  }

  #run(steps: readonly Step<State>[]): void {
    for (const { row, event, handler, index } of steps) {
      try {
        this.#handle(row, event, handler);
      } catch (cause) {
        throw new EventFailed(index, event, cause);
      }
    }
  }

  #handle(row: Row<State>, event: AnyEvent, handler: Handler<State>): void {
    const state = row.state === undefined ? this.#first() : row.state;
    const next = handler(state, event, row.key);
    if (next === undefined) row.state = state;
    else if (next === null) row.state = undefined;
    else if (comesLater(next)) throw asynchronous(`on.${event.type}`);
    else row.state = next as State;
    if (row.changed) return;
    row.changed = true;
    this.#changed.add(row);
  }

  #first(): State {
    const state = copyOf(this.#initial());
    if (comesLater(state)) throw asynchronous('initial');
    return state;
  }
}

/** @throws InvalidInput when it would not come back as it is: told now, not after a restart */
function textOf(state: unknown): string {
  let text: string | undefined;
  let lost: string | undefined = 'state';
  try {
    lost = lostInJson(state);
    text = JSON.stringify(state);
  } catch {
    // It contains itself. Told below: the reason could quote the state.
  }
  if (text !== undefined && lost === undefined) return text;
  throw new InvalidInput(lost ?? 'state', jsonValueRule('to be kept as a row'));
}

function asynchronous(field: string): InvalidInput {
  return new InvalidInput(
    field,
    'must answer at once, not with a promise: what waits for others belongs into react',
  );
}

/** A turn of the event loop, after what came in meanwhile. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
