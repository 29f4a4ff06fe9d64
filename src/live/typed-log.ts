/** An event log whose events are typed: what goes in is checked, what comes out is in its current shape. */
import type { Appended } from '../event/appended.ts';
import { type EventId, ZERO_ID } from '../event/event-id.ts';
import { type LogName, parseLogName } from '../event/log-name.ts';
import type { WhoseEvents } from '../event/senders.ts';
import type { Start } from '../event/start.ts';
import type { AppendOptions, EventLog, Page, ReadOptions } from '../log/log.ts';
import { type NoticeOptions, observer } from '../metrics/observer.ts';
import { EventReading } from '../typed/event-reading.ts';
import type { DecodedOf, EventDefinitions, EventInputOf } from '../typed/event-types.ts';
import { Deliveries } from './deliveries.ts';
import type { Delivery } from './delivery.ts';
import type { Live } from './live.ts';
import type { SubscribeOptions } from './subscribe.ts';

/** A stretch of a log, typed. Events that are ignored are left out, so it can hold fewer than asked for. */
export interface TypedPage<Event> extends Omit<Page, 'events'> {
  readonly events: readonly Event[];
  /** Where the next page begins: `after` of the next read, or `before` of a reverse one. */
  readonly next: EventId;
  /** How many events were passed over for who wrote them; see {@link TypedLogOptions}. */
  readonly passedOver: number;
}

/** How a typed log reads. */
export interface TypedLogOptions extends WhoseEvents, NoticeOptions {}

/** What a typed subscription tells, in the order in which it happened. */
export type TypedDelivery<Event> =
  | { readonly kind: 'event'; readonly event: Event }
  | Exclude<Delivery, { readonly kind: 'event' }>;

/** By {@link typedLog}. The errors are those of the log, with InvalidInput and UnreadableEvent of the definitions. */
export interface TypedLog<Events> {
  /** Adds one or several events, all or nothing. See `EventLog.append`. */
  append(
    log: LogName | string,
    events: EventInputOf<Events> | readonly EventInputOf<Events>[],
    options?: AppendOptions,
  ): Promise<Appended>;
  /** Reads a page. See `EventLog.read`. */
  read(log: LogName | string, options?: ReadOptions): Promise<TypedPage<DecodedOf<Events>>>;
  /** Everything after `start`, then everything new; ends like `subscribe`, and with what cannot be decoded. */
  subscribe(
    live: Live,
    log: LogName | string,
    start: Start,
    options?: SubscribeOptions,
  ): AsyncGenerator<TypedDelivery<DecodedOf<Events>>, void, undefined>;
}

/**
 * Puts types on an event log.
 *
 *     const accounts = typedLog(store.log, bank);
 *     await accounts.append('account:1', bank.create('Deposited', { amount: 5 }));
 *     for (const event of (await accounts.read('account:1')).events) …
 *
 * @throws InvalidInput when `writers` are none
 */
export function typedLog<const Events extends EventDefinitions>(
  eventLog: Pick<EventLog, 'append' | 'read'>,
  definitions: Events,
  options: TypedLogOptions = {},
): TypedLog<Events> {
  type Event = DecodedOf<Events>;
  type Input = EventInputOf<Events>;
  // What the definitions decode is what their types say.
  const { writers } = options;
  const { notice } = observer(options);
  const by = 'a typed log';
  const reading = new EventReading<Event>({ events: definitions, writers, by, notice });

  return {
    async append(log, events, options) {
      const list: readonly Input[] = Array.isArray(events) ? events : [events];
      const encoded = list.map((event) =>
        definitions.encode(event as Parameters<EventDefinitions['encode']>[0]),
      );
      return eventLog.append(parseLogName(log), encoded, options);
    },

    async read(log, options) {
      const name = parseLogName(log);
      const page = await eventLog.read(name, options);
      const before = reading.passedOver;
      const events: Event[] = [];
      for (const stored of page.events) {
        const event = reading.read(name, stored);
        if (event !== undefined) events.push(event);
      }
      const next = page.events.at(-1)?.id ?? nextOfEmpty(page, options);
      return { ...page, events, next, passedOver: reading.passedOver - before };
    },

    subscribe(live, log, start, { signal } = {}) {
      const name = parseLogName(log);
      const itemOf = (delivery: Delivery): TypedDelivery<Event> | undefined => {
        if (delivery.kind !== 'event') return delivery;
        const event = reading.read(name, delivery.event);
        return event === undefined ? undefined : { kind: 'event', event };
      };
      return new Deliveries({ live, log: name, start, signal, itemOf });
    },
  };
}

function nextOfEmpty({ more, version }: Page, options: ReadOptions = {}): EventId {
  if (options.reverse) return options.before ?? version;
  return more ? (options.after ?? ZERO_ID) : version;
}
