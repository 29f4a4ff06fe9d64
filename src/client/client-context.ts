/** What the parts of a client share, found by what an application holds: a client, or one of its logs. */
import { InvalidInput } from '../event/error.ts';
import type { EventDefinitions } from '../typed/event-types.ts';
import type { Client } from './client-api.ts';
import type { Cache } from './device.ts';
import type { Channels } from './logs/consumer.ts';
import type { Appends } from './outbox/appends.ts';
import type { Readable } from './readable.ts';
import type { GatewayLink } from './upstream.ts';

export interface ClientContext {
  readonly client: Client;
  readonly channels: Channels;
  readonly appends: Appends;
  readonly pages: Pick<GatewayLink, 'page'>;
  /** The account that events of one's own will be said to be from, once that is known. */
  readonly account?: Readable<string | undefined> | undefined;
  /** Resolves once what is kept on the device is open; undefined without `persist`. */
  readonly cache: Promise<Cache | undefined>;
}

const contexts = new WeakMap<object, ClientContext>();

export function keepContext(of: object, context: ClientContext): void {
  contexts.set(of, context);
}

/** @throws InvalidInput for what is not of a client */
export function contextOf(of: object, field: string): ClientContext {
  const context = contexts.get(of);
  if (context !== undefined) return context;
  throw new InvalidInput(field, 'must be of a client that connect() has answered');
}

const definitions = new WeakMap<object, EventDefinitions>();

/** The definitions that a log of a client was opened with. */
export function keepDefinitions(log: object, events: EventDefinitions | undefined): void {
  if (events !== undefined) definitions.set(log, events);
}

export function definitionsOf(log: object): EventDefinitions | undefined {
  return definitions.get(log);
}
