/** One log as an application holds it: typed by its definitions, whoever may have written to it. */
import { InvalidInput } from '../../event/error.ts';
import { encodeEvents, type NewEvent, type StoredEvent } from '../../event/event.ts';
import { parseEventId, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { onlyTold, textOf } from '../../event/thrown.ts';
import { EventReading } from '../../typed/event-reading.ts';
import type { EventDefinitions, EventFrom, RecordedFrom } from '../../typed/event-types.ts';
import type { ClientAppendOptions, ClientLog, Latest, Sending } from '../client-api.ts';
import type { ClientContext } from '../client-context.ts';
import type { Readable } from '../readable.ts';
import type { ClientStart } from '../upstream.ts';
import { EventIterator } from './event-iterator.ts';
import { LatestEvents } from './latest.ts';

/** Without definitions the payloads are whatever was stored. */
type Payloads = Readonly<Record<string, unknown>>;
type Item = RecordedFrom<Payloads>;

export class OpenLog implements ClientLog<Payloads> {
  readonly name: LogName;
  readonly #definitions: EventDefinitions | undefined;
  readonly #context: ClientContext;
  readonly #reading: EventReading<Item>;
  readonly #latest = new Map<number, Readable<Latest<Payloads>>>();

  constructor(name: LogName, definitions: EventDefinitions | undefined, context: ClientContext) {
    this.name = name;
    this.#definitions = definitions;
    this.#context = context;
    this.#reading = new EventReading({
      events: definitions,
      writers: 'everyone',
      by: `the log ${name}`,
      notice: (notice) => 'error' in notice && console.warn(`millrace: ${textOf(notice.error)}`),
    });
  }

  append(
    events: EventFrom<Payloads> | readonly EventFrom<Payloads>[],
    { expected, dependsOn }: ClientAppendOptions = {},
  ): Sending {
    const { appends, channels } = this.#context;
    const list = Array.isArray(events) ? (events as readonly EventFrom<Payloads>[]) : [events];
    const encoded = list.map(
      (event) => this.#definitions?.encode(event as EventFrom<Payloads>) ?? (event as NewEvent),
    );
    encodeEvents(encoded);
    return appends.append({
      log: this.name,
      events: encoded,
      expected: expected && parseEventId(expected, 'expected'),
      dependsOn: dependsOn?.key,
      after: channels.cursor?.(this.name),
    });
  }

  events(
    start: ClientStart = { after: ZERO_ID },
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterableIterator<Item> {
    const { channels, pages } = this.#context;
    return new EventIterator({
      ...{ log: this.name, start: checkStart(start), signal, channels, pages },
      itemOf: this.#read,
    });
  }

  on(type: string, heard: (event: never) => void, start: ClientStart = 'now'): () => void {
    if (typeof heard !== 'function') throw new InvalidInput('heard', 'must be a function');
    const tell = onlyTold(`a callback of ${this.name} for ${type}`, (stored: StoredEvent) => {
      const event = this.#read(stored);
      if (event !== undefined && (type === '*' || event.type === type)) heard(event as never);
    });
    const follow = (from: ClientStart): (() => void) =>
      this.#context.channels.open(this.name, from, {
        events: (events) => {
          for (const event of events) tell(event);
        },
        live: () => {},
        trimmed: () => {},
        reset: () => {
          // What comes now has been heard before, or stands in for what has.
          close();
          close = follow('now');
        },
        failed: ({ code, message }) => {
          if (code !== 'closed') console.warn(`millrace: ${this.name} is not followed: ${message}`);
        },
      });
    let close = follow(checkStart(start));
    return () => close();
  }

  latest(count = 100): Readable<Latest<Payloads>> {
    checkCount(count, 'count', MOST_LATEST);
    const known = this.#latest.get(count);
    if (known !== undefined) return known;
    const parts = { log: this.name, count, context: this.#context, itemOf: this.#read };
    const latest = new LatestEvents<Payloads>(parts);
    this.#latest.set(count, latest);
    return latest;
  }

  async read(start: ClientStart = { after: ZERO_ID }, limit = 1_000) {
    checkCount(limit, 'limit', MOST_LATEST);
    const page = await this.#context.pages.page(this.name, checkStart(start), limit);
    const { cursor, more, version } = page;
    return {
      events: page.events.flatMap((event) => this.#read(event) ?? []),
      cursor,
      more,
      version,
    };
  }

  readonly #read = (event: StoredEvent): Item | undefined => this.#reading.read(this.name, event);
}

const MOST_LATEST = 10_000;

function checkCount(value: number, field: string, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new InvalidInput(field, `must be a whole number from 1 to ${most}`);
}

function checkStart(start: ClientStart): ClientStart {
  if (start === 'now') return start;
  const { after, since, last } = (start ?? {}) as Partial<
    Record<'after' | 'since' | 'last', never>
  >;
  if (after !== undefined) return { after: parseEventId(after, 'start.after') };
  if (last !== undefined) {
    checkCount(last, 'start.last', MOST_LATEST);
    return { last };
  }
  if (Number.isFinite(since) && since! >= 0) return { since: since! };
  throw new InvalidInput(
    'start',
    "must be 'now', { after: an event ID }, { since: milliseconds since 1970 } or { last: how many }",
  );
}
