/** What tabs say to each other. */
import { type Codec, StoredEvent } from '../../event/event.ts';
import type { EventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { EventsPage } from '../../protocol/page.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { ConnectionState } from '../connection/state.ts';
import type { ClientStart } from '../upstream.ts';

/** Objects that go from tab to tab lose what class they are of. */
export type EventParts = readonly [EventId, string, Codec, string | Uint8Array, string | undefined];

export type Told =
  | { readonly is: 'events'; readonly events: readonly EventParts[] }
  | { readonly is: 'live'; readonly at: EventId | undefined }
  | { readonly is: 'trimmed'; readonly at: EventId }
  | { readonly is: 'reset'; readonly at: EventId }
  | { readonly is: 'failed'; readonly failure: Failure };

export type SharedMessage =
  /** Of the leader: that it is, and what its connection is like. */
  | {
      readonly kind: 'leads';
      readonly from: string;
      readonly state: ConnectionState;
      readonly account: string | undefined;
    }
  /** Who leads, and is this all that there was to be told? */
  | {
      readonly kind: 'ping';
      readonly from: string;
      readonly logs: readonly (readonly [log: LogName, run: number, told: number])[];
    }
  /** It is not: follow that log again. */
  | { readonly kind: 'again'; readonly to: string; readonly log: LogName; readonly run: number }
  | {
      readonly kind: 'follow';
      /** The leader: another that has not noticed yet that it is none any more is not asked. */
      readonly to: string;
      readonly from: string;
      readonly log: LogName;
      readonly start: ClientStart;
      /** Which following of this tab it is: what belongs to an earlier one counts no more. */
      readonly run: number;
    }
  | { readonly kind: 'unfollow'; readonly from: string; readonly log: LogName }
  | {
      readonly kind: 'told';
      readonly to: string;
      readonly log: LogName;
      readonly run: number;
      /** Counts from 0 in a run: where one is missing, so is what it said. */
      readonly n: number;
      readonly told: Told;
    }
  | {
      readonly kind: 'page';
      readonly to: string;
      readonly from: string;
      readonly ref: number;
      readonly log: LogName;
      readonly start: ClientStart;
      readonly limit: number | undefined;
    }
  | {
      readonly kind: 'paged';
      readonly to: string;
      readonly ref: number;
      readonly page?: Omit<EventsPage, 'events'> & { readonly events: readonly EventParts[] };
      readonly failure?: Failure;
    };

export function partsOf(events: readonly StoredEvent[]): EventParts[] {
  return events.map(({ id, type, codec, data, rawMeta }) => [id, type, codec, data, rawMeta]);
}

export function eventsOf(parts: readonly EventParts[]): StoredEvent[] {
  return parts.map((part) => new StoredEvent(...part));
}
