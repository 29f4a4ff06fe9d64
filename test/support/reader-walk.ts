/** The part of the history checker that follows one reader through its run. */
import { compareEventIds, type EventId, isAfter, ZERO_ID } from '../../src/event/event-id.ts';
import { type Complaint, complaint, type Fault, show } from './complaint.ts';
import type { LogHistory, ReaderHistory, ReaderStep, SeenEvent } from './history.ts';

export class ReaderWalk {
  readonly #history: LogHistory;
  readonly #reader: ReaderHistory;
  readonly #indexById: ReadonlyMap<string, number>;
  readonly #complaints: Complaint[] = [];
  /** What the reader holds since it last started afresh. */
  #held = new Set<EventId>();
  #cursor: EventId = ZERO_ID;
  /** The first event that the reader has and the log has lost, as long as nobody has told it. */
  #lost: SeenEvent | undefined;
  #started = false;
  /** Told to start afresh, with the first event that is kept, and still without any. */
  #afresh = false;

  constructor(history: LogHistory, reader: ReaderHistory) {
    this.#history = history;
    this.#reader = reader;
    this.#indexById = new Map(history.events.map((event, index) => [event.id, index]));
  }

  /** Every broken promise to this reader. */
  complaints(): Complaint[] {
    for (const step of this.#reader.steps) this.#take(step);
    this.#end();
    return this.#complaints;
  }

  #take(step: ReaderStep): void {
    switch (step.step) {
      case 'connected':
        this.#connected(step.after);
        break;
      case 'event':
        this.#event(step);
        break;
      case 'trimmed':
        this.#trimmed(step.resumeAfter);
        break;
      case 'reset':
        this.#reset();
        break;
    }
  }

  #end(): void {
    if (this.#lost !== undefined) {
      this.#complain('untold_loss', `has ${show(this.#lost)}, which is lost, and was never told`);
    } else {
      this.#missedUpTo(undefined);
    }
  }

  #connected(after: EventId): void {
    // The first connection may start anywhere; every further one must resume, or the run itself is wrong.
    if (this.#started && after !== this.#cursor) {
      this.#complain('resumed_elsewhere', `was at ${this.#cursor}, reconnected with ${after}`);
    }
    this.#started = true;
    this.#cursor = after;
  }

  #event(event: SeenEvent): void {
    const { id } = event;
    if (this.#held.has(id)) {
      this.#complain('reader_got_twice', `got ${show(event)} twice`);
      return;
    }
    this.#held.add(id);
    if (compareEventIds(id, this.#cursor) <= 0) {
      this.#complain('reader_out_of_order', `got ${show(event)} after ${this.#cursor}`);
      return;
    }
    const index = this.#indexById.get(id);
    const stored = index === undefined ? undefined : this.#history.events[index]!;
    if (stored?.tag === event.tag) {
      if (this.#lost !== undefined) {
        const message = `has ${show(this.#lost)}, which is lost, and got ${show(event)} without being told`;
        this.#complain('untold_loss', message);
        this.#lost = undefined;
      } else {
        this.#missedUpTo(id);
      }
    } else if (this.#wasTrimmed(id)) {
      // It was there when the reader got it; nobody can tell any more what lay around it.
    } else if (this.#history.lossyStore === true && this.#wasAppended(event.tag)) {
      this.#lost ??= event;
    } else {
      const instead = stored === undefined ? '' : `, where the log has ${show(stored)}`;
      this.#complain('reader_got_foreign', `got ${show(event)}${instead}, not in the log`);
    }
    this.#cursor = id;
    this.#afresh = false;
  }

  #trimmed(resumeAfter: EventId): void {
    const { trimmed } = this.#history;
    if (!isAfter(resumeAfter, this.#cursor)) {
      this.#complain('untrue_trimmed', `was at ${this.#cursor}, told trimmed to ${resumeAfter}`);
    } else if (trimmed === undefined || isAfter(resumeAfter, trimmed)) {
      const mark = trimmed ?? 'never';
      this.#complain('untrue_trimmed', `told trimmed to ${resumeAfter}, was trimmed: ${mark}`);
    }
    this.#cursor = resumeAfter;
    // Of what lies below the mark nobody can say any more whether it was trimmed or lost.
    if (this.#lost !== undefined && !isAfter(this.#lost.id, resumeAfter)) this.#lost = undefined;
  }

  #reset(): void {
    if (this.#lost === undefined && !this.#startedOnLost()) {
      this.#complain('needless_reset', `told reset at ${this.#cursor}, though all it saw is kept`);
    }
    this.#held = new Set();
    this.#cursor = ZERO_ID;
    this.#lost = undefined;
    this.#afresh = true;
  }

  /** A reader that brought a cursor from elsewhere may have seen an event that is lost. */
  #startedOnLost(): boolean {
    return this.#cursor !== ZERO_ID && !this.#indexById.has(this.#cursor);
  }

  /** Complains about each event between the cursor and `id`, or the end of the log. */
  #missedUpTo(id: EventId | undefined): void {
    const { events } = this.#history;
    const known = this.#indexById.get(this.#cursor);
    const from =
      known === undefined
        ? events.findIndex((event) => isAfter(event.id, this.#cursor))
        : known + 1;
    if (from === -1) return;
    const to = id === undefined ? events.length : this.#indexById.get(id)!;
    const missed = events
      .slice(from, to)
      .filter(({ id }) => !this.#held.has(id) && !(this.#afresh && this.#wasTrimmed(id)));
    if (missed.length === 0) return;
    const then = id === undefined ? 'the run ended' : `then ${id} came`;
    const first = missed.slice(0, 5).map(show).join(', ');
    const rest = missed.length > 5 ? ` and ${missed.length - 5} more` : '';
    this.#complain('reader_missed', `was at ${this.#cursor}, ${then}; missing: ${first}${rest}`);
  }

  #wasTrimmed(id: EventId): boolean {
    const { trimmed } = this.#history;
    return trimmed !== undefined && !isAfter(id, trimmed);
  }

  #wasAppended(tag: string): boolean {
    return this.#history.appends.some(
      (append) => append.outcome !== 'refused' && append.tags.includes(tag),
    );
  }

  #complain(fault: Fault, message: string): void {
    this.#complaints.push(
      ...complaint(fault, `${this.#history.log}, ${this.#reader.reader}: ${message}`),
    );
  }
}
