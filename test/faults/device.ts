/**
 * A device of one account: a browser profile with what it keeps, and one page at a time in it. It goes
 * offline and comes back; its page is reloaded without a word.
 */
import { IDBFactory } from 'fake-indexeddb';
import {
  type Client,
  connect,
  decider,
  defineEvents,
  type EventId,
  handle,
  type Sending,
  type,
  type View,
  view,
  withDeciders,
} from 'millrace/client';
import { indexedDb } from 'millrace/client/indexeddb';
import { WebSocket } from 'ws';
import type { SentAppend } from './checker.ts';

const events = defineEvents({
  Marked: type<{ mark: string }>(),
  Counted: type<{ mark: string; n: number }>(),
});

/** Numbers what it is asked to: a number is given out once, whoever asks. */
export const counting = decider({
  name: 'counting',
  events,
  initial: { n: 0, marks: [] as readonly string[] },
  decide: ({ mark }: { mark: string }, { n }) => events.create('Counted', { mark, n: n + 1 }),
  evolve: ({ n, marks }, { payload }) => ({ n: n + 1, marks: [...marks, payload.mark] }),
});

const marked = {
  name: 'marks',
  events,
  initial: [] as readonly string[],
  evolve: (marks: readonly string[], { payload }: { payload: { mark: string } }) => [
    ...marks,
    payload.mark,
  ],
};

type Told = { -readonly [Key in keyof SentAppend]: SentAppend[Key] };

export interface DeviceOptions {
  readonly name: string;
  readonly account: string;
  readonly url: string;
  readonly byHttp: boolean;
  /** Logs whose views it has. */
  readonly rooms: readonly string[];
  readonly counters: readonly string[];
}

export class Device {
  readonly name: string;
  readonly appends: Told[] = [];
  reloads = 0;
  readonly #options: DeviceOptions;
  readonly #factory = new IDBFactory();
  #page: Page;
  #made = 0;

  constructor(options: DeviceOptions) {
    this.name = options.name;
    this.#options = options;
    this.#page = this.#open();
  }

  get client(): Client {
    return this.#page.client;
  }

  get isQuiet(): boolean {
    const { client, views } = this.#page;
    return (
      client.connection.get().status === 'live' &&
      client.outbox.entries.get().length === 0 &&
      [...views.values()].every((each) => each.get().isCurrent)
    );
  }

  /** What its views show. */
  get views(): readonly {
    readonly log: string;
    readonly marks: readonly string[];
    readonly pending: number;
    readonly failure: string | undefined;
  }[] {
    return [...this.#page.views].map(([log, each]) => {
      const { state, pending, failure } = each.get();
      return {
        log,
        marks: Array.isArray(state) ? state : (state as { marks: string[] }).marks,
        pending: pending.length,
        failure: failure?.message,
      };
    });
  }

  /** The log of its account. */
  get own(): string {
    return `account:${this.#options.account}`;
  }

  /** @param isFutile at a version that no log has: to be handed back */
  append(room: string, count: number, isFutile = false): void {
    const marks = Array.from({ length: count }, () => this.#mark());
    const made = this.#note(this.name, room, marks);
    const { client } = this.#page;
    const sending = client.log(room, events).append(
      marks.map((mark) => events.create('Marked', { mark })),
      isFutile ? { expected: '1-7' as EventId } : {},
    );
    this.#watch(made, sending, sending.kept);
  }

  count(counter: string): void {
    const mark = this.#mark();
    // Commands that are decided at once may be kept in another order than they were made.
    const made = this.#note(`${this.name}, command ${mark},`, counter, [mark]);
    const { client } = this.#page;
    const handled = handle(client, counting, { mark }, { to: counter });
    this.#watch(
      made,
      handled.then(({ events: [event] }) => ({ ids: [event!.id] })),
      undefined,
    );
  }

  offline(): void {
    this.#page.off();
  }

  online(): void {
    this.#page.on();
  }

  /** What was not told until now never will be. */
  reload(): void {
    this.reloads += 1;
    this.#page.kill();
    this.#page = this.#open();
  }

  /** A page that was reloaded in that very moment has not said that an append was handed back; the outbox has it. */
  readRefusals(): void {
    for (const { entry } of this.#page.client.outbox.refusals.get()) {
      const mark = (entry.events[0]!.payload as { mark: string }).mark;
      const made = this.appends.find((each) => each.marks[0] === mark);
      if (made?.told === 'kept' || made?.told === 'unknown') made.told = 'refused';
    }
  }

  async end(): Promise<void> {
    await this.#page.client.close();
  }

  #mark(): string {
    this.#made += 1;
    return `${this.name}.${this.#made}`;
  }

  #note(device: string, log: string, marks: readonly string[]): Told {
    const made: Told = { device, log, marks, told: 'unknown' };
    this.appends.push(made);
    return made;
  }

  #watch(
    made: Told,
    sending: Promise<{ readonly ids: readonly string[] }> | Sending,
    kept: Promise<void> | undefined,
  ): void {
    const page = this.#page;
    kept?.then(
      () => {
        if (!page.isKilled && made.told === 'unknown') made.told = 'kept';
      },
      () => {},
    );
    sending.then(
      ({ ids }) => {
        if (page.isKilled) return;
        made.told = 'settled';
        made.ids = ids;
      },
      () => {
        if (!page.isKilled) made.told = 'refused';
      },
    );
  }

  #open(): Page {
    return new Page(this.#options, this.#factory, ({ marks }) => {
      const made = this.appends.find((each) => each.marks[0] === marks[0]);
      if (made !== undefined) made.told = 'refused';
    });
  }
}

class Page {
  readonly client: Client;
  readonly views = new Map<string, View<unknown>>();
  isKilled = false;
  #isOn = true;
  readonly #sockets = new Set<WebSocket>();

  constructor(
    { account, url, byHttp, rooms, counters }: DeviceOptions,
    factory: IDBFactory,
    refused: (refused: { readonly marks: readonly string[] }) => void,
  ) {
    const page = this;
    class Wire extends WebSocket {
      constructor(address: string, protocols?: string[]) {
        super(address, protocols);
        page.#sockets.add(this);
        this.on('close', () => page.#sockets.delete(this));
        if (!page.#isOn) this.terminate();
      }
    }
    this.client = withDeciders(
      connect(url, {
        account,
        persist: indexedDb({ factory }),
        WebSocket: byHttp ? false : Wire,
        fetch: (input, init) =>
          page.#isOn ? fetch(input, init) : Promise.reject(new TypeError('offline')),
        onRefused: ({ entry }) => {
          if (page.isKilled) return;
          refused({ marks: entry.events.map(({ payload }) => (payload as { mark: string }).mark) });
        },
      }),
      [counting],
    );
    for (const room of rooms)
      this.views.set(room, view(this.client.log(room, events), marked) as View<unknown>);
    for (const counter of counters)
      this.views.set(counter, view(this.client.log(counter, events), counting) as View<unknown>);
    for (const each of this.views.values()) each.subscribe(() => {});
  }

  off(): void {
    this.#isOn = false;
    for (const socket of this.#sockets) socket.terminate();
  }

  on(): void {
    if (!this.isKilled) this.#isOn = true;
  }

  /** Its code runs on in this process, but reaches nobody any more, and nobody hears it. */
  kill(): void {
    this.isKilled = true;
    this.off();
    void this.client.close().catch(() => {});
  }
}
