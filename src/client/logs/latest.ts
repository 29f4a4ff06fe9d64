/**
 * The last events of a log, kept up to date while somebody is subscribed.
 *
 *   nothing, or what was cached ──live──► current ──trimmed, reset──► as it was ──live──► current
 *
 * What is shown changes as a whole: until the log has been read up to where it is, what was shown
 * before stays. However many events come at once, it is told once.
 */
import type { StoredEvent } from '../../event/event.ts';
import type { LogName } from '../../event/log-name.ts';
import { textOf } from '../../event/thrown.ts';
import type { EventFrom, RecordedFrom } from '../../typed/event-types.ts';
import type { Latest } from '../client-api.ts';
import type { ClientContext } from '../client-context.ts';
import { Refused } from '../errors.ts';
import type { Readable } from '../readable.ts';
import { OwnPending } from './own-pending.ts';

export interface LatestParts<Payloads extends object> {
  readonly log: LogName;
  readonly count: number;
  readonly context: Pick<ClientContext, 'channels' | 'appends' | 'cache' | 'client'>;
  /** @throws UnreadableEvent */
  readonly itemOf: (event: StoredEvent) => RecordedFrom<Payloads> | undefined;
}

export class LatestEvents<Payloads extends object> implements Readable<Latest<Payloads>> {
  readonly #parts: LatestParts<Payloads>;
  readonly #told = new Set<() => void>();
  #value: Latest<Payloads> = { events: [], pending: [], isCurrent: false };
  /** Since the value was made. */
  #hasChanged = false;
  #isTelling = false;
  #shown: readonly RecordedFrom<Payloads>[] = [];
  /** What has come since the log was last not read up to its end. */
  #coming: RecordedFrom<Payloads>[] = [];
  #isLive = false;
  #lost: Latest<Payloads>['lost'];
  #failure: Refused | undefined;
  #pending: OwnPending | undefined;
  #end: (() => void) | undefined;

  constructor(parts: LatestParts<Payloads>) {
    this.#parts = parts;
  }

  readonly get = (): Latest<Payloads> => {
    if (this.#hasChanged) {
      this.#hasChanged = false;
      const isCurrent =
        this.#isLive && this.#parts.context.client.connection.get().status === 'live';
      this.#value = {
        events: this.#shown,
        // What goes to the log is what comes back, in its current shape.
        pending: (this.#pending?.list() ?? []) as unknown as EventFrom<Payloads>[],
        isCurrent,
        ...(this.#lost !== undefined && { lost: this.#lost }),
        ...(this.#failure !== undefined && { failure: this.#failure }),
      };
    }
    return this.#value;
  };

  readonly subscribe = (changed: () => void): (() => void) => {
    const told = () => changed();
    this.#told.add(told);
    if (this.#told.size === 1) this.#begin();
    return () => {
      if (this.#told.delete(told) && this.#told.size === 0) this.#end?.();
    };
  };

  #begin(): void {
    const { log, count, context } = this.#parts;
    const { channels, appends, cache, client } = context;
    this.#coming = [];
    this.#lost = this.#failure = undefined;
    const pending = new OwnPending(log, appends, () => this.#changed());
    this.#pending = pending;
    const lose = (what: 'trimmed' | 'reset') => {
      this.#coming = [];
      this.#isLive = false;
      this.#lost = what;
      this.#changed();
    };
    const unfollow = channels.open(
      log,
      { last: count },
      {
        events: (events) => {
          pending.came(events);
          this.#add(events);
        },
        live: (at) => {
          pending.readUpTo(at);
          this.#isLive = true;
          this.#show();
        },
        trimmed: () => lose('trimmed'),
        reset: () => lose('reset'),
        failed: (failure) => {
          this.#isLive = false;
          this.#failure = new Refused(failure);
          this.#changed();
        },
      },
    );
    let isOver = false;
    const unsubscribe = client.connection.subscribe(() => this.#changed());
    void cache.then(async (opened) => {
      const cached = await opened?.log(log).catch(() => undefined);
      if (isOver || this.#isLive || this.#shown.length > 0 || cached === undefined) return;
      this.#shown = cached.events.slice(-count).flatMap((event) => this.#read(event) ?? []);
      this.#changed();
    });
    this.#end = () => {
      isOver = true;
      unfollow();
      unsubscribe();
      pending.close();
      this.#isLive = false;
      this.#changed();
    };
    this.#changed();
  }

  #add(events: readonly StoredEvent[]): void {
    const { count } = this.#parts;
    for (const event of events.slice(-count)) {
      const item = this.#read(event);
      if (item !== undefined) this.#coming.push(item);
    }
    if (this.#coming.length > 2 * count) this.#coming = this.#coming.slice(-count);
    if (this.#isLive) this.#show();
  }

  #show(): void {
    this.#shown = this.#coming.slice(-this.#parts.count);
    this.#changed();
  }

  #read(event: StoredEvent): RecordedFrom<Payloads> | undefined {
    try {
      return this.#parts.itemOf(event);
    } catch (error) {
      const failure = { code: 'unreadable_event', message: textOf(error) };
      this.#failure = new Refused(failure, { cause: error });
      return undefined;
    }
  }

  /** Told in a moment, once for all that happens until then. */
  #changed(): void {
    this.#hasChanged = true;
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const told of [...this.#told]) told();
    });
  }
}
