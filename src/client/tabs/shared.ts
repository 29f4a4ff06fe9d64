/**
 * The upstream of a tab that shares its connection: the gateway while it leads, and else the tab that
 * does. Which it is may change at any moment; each log then goes on from where this tab is in it, so
 * that a change of leader has no gap and repeats nothing.
 *
 *   following ──► leading ──► following …
 *
 * A follower takes of the leader only what belongs to its latest following of a log, and counts it: where
 * something is missing, as after it was frozen, it follows the log again from its own cursor.
 */
import type { LogName } from '../../event/log-name.ts';
import type { EventsPage } from '../../protocol/page.ts';
import type { ConnectionState } from '../connection/state.ts';
import type { SharedUpstream, ShareParts } from '../device.ts';
import { CLIENT_CLOSED, Refused } from '../errors.ts';
import { Changing } from '../readable.ts';
import type { ClientStart, GatewayLink } from '../upstream.ts';
import type { Election } from './election.ts';
import { eventsOf, type SharedMessage } from './messages.ts';
import { Serving } from './serving.ts';
import { watchLeader } from './watch.ts';

export interface Room {
  /** This tab. */
  readonly tab: string;
  readonly election: Election;
  readonly post: (message: SharedMessage) => void;
  readonly listen: (heard: (message: SharedMessage) => void) => () => void;
}

interface FollowedHere {
  readonly start: ClientStart;
  run: number;
  /** Of the run: how much the leader has told. */
  told: number;
}

interface Asked {
  readonly ask: () => void;
  readonly resolve: (page: EventsPage) => void;
  readonly reject: (error: unknown) => void;
}

const LOOKING: ConnectionState = {
  status: 'connecting',
  reason: 'the tab that has the connection is looked for',
};

export class Shared implements SharedUpstream {
  readonly state = new Changing<ConnectionState>(LOOKING);
  readonly account = new Changing<string | undefined>(undefined);
  readonly link = new Changing<GatewayLink | undefined>(undefined);
  readonly leader = new Changing<string | undefined>(undefined);
  readonly #room: Room;
  readonly #parts: ShareParts;
  readonly #logs = new Map<LogName, FollowedHere>();
  readonly #pages = new Map<number, Asked>();
  #serving: Serving | undefined;
  #runs = 0;
  readonly #ends: (() => void)[];

  constructor(room: Room, parts: ShareParts) {
    this.#room = room;
    this.#parts = parts;
    this.#ends = [
      room.listen((message) => this.#hear(message)),
      room.election.stand((until) => this.#lead(until)),
      watchLeader({
        isNeeded: () => this.link.get() === undefined,
        ping: () => this.#ping(),
        heard: (tell) => room.listen((message) => message.kind === 'leads' && tell()),
        silent: () => room.election.depose(),
        awake: () => this.#askAgain(),
      }),
    ];
    void room.election.present.then(() => this.#ping());
  }

  follow(log: LogName, start: ClientStart): void {
    this.#logs.set(log, { start, run: 0, told: 0 });
    const link = this.link.get();
    if (link === undefined) this.#ask(log, start);
    else link.follow(log, start);
  }

  unfollow(log: LogName): void {
    this.#logs.delete(log);
    const link = this.link.get();
    if (link === undefined) this.#room.post({ kind: 'unfollow', from: this.#room.tab, log });
    else link.unfollow(log);
  }

  /** A follower asks through the leader, so that one tab alone needs tokens. */
  page(log: LogName, start: ClientStart, limit?: number): Promise<EventsPage> {
    const link = this.link.get();
    if (link !== undefined) return link.page(log, start, limit);
    if (this.#isClosed) return Promise.reject(new Refused(CLIENT_CLOSED));
    this.#runs += 1;
    const ref = this.#runs;
    return new Promise((resolve, reject) => {
      const ask = () => {
        const own = this.link.get();
        if (own === undefined) {
          const to = this.leader.get();
          if (to === undefined) return;
          this.#room.post({ kind: 'page', to, from: this.#room.tab, ref, log, start, limit });
        } else {
          this.#pages.delete(ref);
          own.page(log, start, limit).then(resolve, reject);
        }
      };
      this.#pages.set(ref, { ask, resolve, reject });
      ask();
    });
  }

  close(): void {
    if (!this.#isClosed) this.#end({ status: 'closed', reason: 'it was closed here' });
  }

  get #isClosed(): boolean {
    return this.state.get().status === 'closed';
  }

  #end(state: ConnectionState): void {
    for (const end of this.#ends) end();
    this.#logs.clear();
    this.#stopLeading();
    for (const { reject } of this.#pages.values())
      reject(new Refused(state.failure ?? CLIENT_CLOSED));
    this.#pages.clear();
    this.state.set(state);
  }

  #lead(until: AbortSignal): void {
    const { tab, election, post } = this.#room;
    const { open, channels } = this.#parts;
    // It has taken the lead from itself, as it was deposed twice in one moment.
    if (this.link.get() !== undefined) this.#stopLeading();
    const link = open();
    this.#serving = new Serving({ channels, election, link, post });
    for (const [log, { start }] of this.#logs) link.follow(log, this.#placeIn(log, start));
    const show = () => {
      if (this.link.get() !== link) return;
      const state = link.state.get();
      // Whom the gateway will not have does not lead: it may take another tab, by its own token.
      if (state.status === 'closed') {
        this.#end(state);
        return;
      }
      this.state.set(state);
      this.account.set(link.account.get());
      this.#announce();
    };
    link.state.subscribe(show);
    link.account.subscribe(show);
    this.link.set(link);
    this.leader.set(tab);
    show();
    for (const { ask } of [...this.#pages.values()]) ask();
    until.addEventListener('abort', () => this.link.get() === link && this.#stopLeading());
  }

  #stopLeading(): void {
    const link = this.link.get();
    this.#serving?.close();
    this.#serving = undefined;
    this.link.set(undefined);
    this.leader.set(undefined);
    if (link === undefined) return;
    this.state.set(LOOKING);
    link.close();
    this.#ping();
  }

  #announce(): void {
    this.#room.post({
      kind: 'leads',
      from: this.#room.tab,
      state: this.state.get(),
      account: this.account.get(),
    });
  }

  /** Whoever leads now is told what this tab needs, from where it is. */
  #askAgain(): void {
    if (this.link.get() !== undefined) return;
    for (const [log, { start }] of this.#logs) this.#ask(log, this.#placeIn(log, start));
    for (const { ask } of [...this.#pages.values()]) ask();
  }

  /** Also asks whether this tab has heard all. */
  #ping(): void {
    const logs = [...this.#logs].map(([log, { run, told }]) => [log, run, told] as const);
    this.#room.post({ kind: 'ping', from: this.#room.tab, logs });
  }

  #ask(log: LogName, start: ClientStart): void {
    this.#runs += 1;
    const run = this.#runs;
    Object.assign(this.#logs.get(log)!, { run, told: 0 });
    const to = this.leader.get();
    if (to !== undefined) {
      this.#room.post({ kind: 'follow', to, from: this.#room.tab, log, start, run });
    }
  }

  /** Something is missing in that run. */
  #askFrom({ log, run }: { readonly log: LogName; readonly run: number }): void {
    const followed = this.#logs.get(log);
    if (followed?.run === run) this.#ask(log, this.#placeIn(log, followed.start));
  }

  #placeIn(log: LogName, start: ClientStart): ClientStart {
    const after = this.#parts.channels.cursor(log);
    return after === undefined ? start : { after };
  }

  #hear(message: SharedMessage): void {
    const serving = this.#serving;
    switch (message.kind) {
      case 'ping':
        if (serving === undefined) break;
        this.#announce();
        serving.compare(message);
        break;
      case 'again':
        if (message.to === this.#room.tab) this.#askFrom(message);
        break;
      case 'follow':
        if (message.to === this.#room.tab) serving?.follow(message);
        break;
      case 'unfollow':
        serving?.unfollow(message.from, message.log);
        break;
      case 'page':
        if (message.to === this.#room.tab) void serving?.page(message);
        break;
      case 'leads':
        // Two may believe that they do, as long as one of them has not noticed.
        if (serving === undefined) this.#heed(message);
        break;
      case 'told':
        if (message.to === this.#room.tab && serving === undefined) this.#take(message);
        break;
      case 'paged':
        if (message.to === this.#room.tab) this.#takePage(message);
    }
  }

  #heed({ from, state, account }: Extract<SharedMessage, { readonly kind: 'leads' }>): void {
    const isNew = this.leader.get() !== from;
    this.leader.set(from);
    this.account.set(account ?? this.account.get());
    this.state.set({ ...state, ...(state.over && { over: 'tab' }) });
    if (isNew) this.#askAgain();
  }

  #take({ log, run, n, told }: Extract<SharedMessage, { readonly kind: 'told' }>): void {
    const followed = this.#logs.get(log);
    if (followed === undefined || followed.run !== run) return;
    if (n !== followed.told) {
      this.#askFrom({ log, run });
      return;
    }
    followed.told += 1;
    const { receiver } = this.#parts;
    if (told.is === 'events') receiver.events(log, eventsOf(told.events));
    else if (told.is === 'live') receiver.live(log, told.at);
    else if (told.is === 'trimmed') receiver.trimmed(log, told.at);
    else if (told.is === 'reset') receiver.reset(log, told.at);
    else {
      this.#logs.delete(log);
      receiver.failed(log, told.failure);
    }
  }

  #takePage({ ref, page, failure }: Extract<SharedMessage, { readonly kind: 'paged' }>): void {
    const asked = this.#pages.get(ref);
    this.#pages.delete(ref);
    if (page !== undefined) asked?.resolve({ ...page, events: eventsOf(page.events) });
    else if (failure !== undefined) asked?.reject(new Refused(failure));
  }
}
