/** A gateway that says what a test has written down, and an outbox that sends to it. */

import { Refused } from '../../../../src/client/errors.ts';
import type { ToAppend } from '../../../../src/client/outbox/appends.ts';
import { MemoryOutbox } from '../../../../src/client/outbox/memory-outbox.ts';
import { startSender } from '../../../../src/client/outbox/sender.ts';
import { TabOutbox } from '../../../../src/client/outbox/tab-outbox.ts';
import { Changing } from '../../../../src/client/readable.ts';
import type { AppendAttempt, AttemptAnswer, ClientStart } from '../../../../src/client/upstream.ts';
import { type NewEvent, StoredEvent } from '../../../../src/event/event.ts';
import type { EventId } from '../../../../src/event/event-id.ts';
import type { LogName } from '../../../../src/event/log-name.ts';
import type { EventsPage } from '../../../../src/protocol/page.ts';
import type { Failure } from '../../../../src/protocol/problem.ts';

export const LOG = 'account:1' as LogName;
export const OTHER = 'room:5' as LogName;

export class Scripted {
  readonly store: MemoryOutbox;
  readonly outbox: TabOutbox;
  readonly isReady = new Changing(true);
  /** All that was sent. */
  readonly sent: AppendAttempt[] = [];
  readonly pagesAsked: ClientStart[] = [];
  readonly refusals: string[] = [];
  readonly troubles: unknown[] = [];
  /** What the log has. */
  events: StoredEvent[] = [];
  /** Instead of a page. */
  pageFailures: Failure[] = [];
  readonly #waiting: ((answer: AttemptAnswer) => void)[] = [];
  #end: (() => void) | undefined;

  constructor(store = new MemoryOutbox()) {
    this.store = store;
    this.outbox = new TabOutbox({
      store: Promise.resolve(store),
      onRefused: ({ failure }) => this.refusals.push(failure.code),
    });
  }

  start(): this {
    this.#end = startSender({
      store: this.store,
      outbox: this.outbox,
      link: {
        isReady: this.isReady,
        append: (attempt) => {
          this.sent.push(attempt);
          return new Promise((answer) => this.#waiting.push(answer));
        },
        page: async (log, start) => this.#page(log, start),
      },
      random: () => 1,
      onTrouble: (error) => this.troubles.push(error),
    });
    return this;
  }

  end(): void {
    this.#end?.();
    this.outbox.close();
  }

  append(what: Partial<ToAppend> = {}) {
    return this.outbox.append({ log: LOG, events: [{ type: 'Said', payload: 'hi' }], ...what });
  }

  answer(answer: AttemptAnswer): void {
    this.#waiting.shift()!(answer);
  }

  accept(...ids: string[]): void {
    const version = ids.at(-1) as EventId;
    const appended = { ids: ids as EventId[], version, duplicate: false };
    this.answer({ kind: 'appended', appended });
  }

  repeated(...ids: string[]): void {
    const version = '99-0' as EventId;
    const appended = { ids: ids as EventId[], version, duplicate: true };
    this.answer({ kind: 'appended', appended });
  }

  refuse(code: string, more: Partial<Failure> = {}): void {
    this.answer({ kind: 'refused', failure: { code, message: code, ...more } });
  }

  lose(): void {
    this.answer({ kind: 'unanswered' });
  }

  /** The log has got the events of an attempt, whatever is said of it. */
  has(attempt: AppendAttempt | undefined, ...ids: string[]): void {
    for (const [index, id] of ids.entries()) {
      const { type, meta } = attempt!.events[index] as NewEvent;
      const stored = new StoredEvent(id as EventId, type, 'text', '', JSON.stringify(meta));
      this.events.push(stored);
    }
  }

  #page(log: LogName, start: ClientStart): EventsPage {
    this.pagesAsked.push(start);
    const failure = this.pageFailures.shift();
    if (failure !== undefined) throw new Refused(failure);
    const { events } = this;
    const cursor = events.at(-1)?.id ?? ('0-0' as EventId);
    return { log, events, cursor, version: cursor, more: false };
  }
}
