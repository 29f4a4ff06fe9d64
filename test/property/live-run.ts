/** Runs a list of generated moves against a real `live` over a simulated log, and judges it. */
import type { LogName } from '../../src/event/log-name.ts';
import { createLive, type LiveOptions } from '../../src/live/create-live.ts';
import { Turns } from '../../src/live/turns.ts';
import type { EventLog } from '../../src/log/log.ts';
import { checkHistory } from '../support/history-checker.ts';
import { randomLog } from '../support/names.ts';
import { type FirstStart, ModelReader } from './model-reader.ts';
import { SimulatedLog, type Telling } from './simulated-log.ts';

export type Move =
  | { readonly move: 'grow'; readonly count: number; readonly telling: Telling }
  | { readonly move: 'cutHead' | 'loseTail'; readonly count: number }
  | { readonly move: 'connect'; readonly reader: number; readonly first: FirstStart }
  | { readonly move: 'disconnect' | 'pause' | 'resume' | 'fill' | 'drain'; readonly reader: number }
  | { readonly move: 'refuse'; readonly reader: number; readonly times: number }
  | {
      readonly move:
        | 'lookFor'
        | 'answerRead'
        | 'failRead'
        | 'acknowledgeFollow'
        | 'failFollow'
        | 'deliver'
        | 'deliverTwice'
        | 'drop';
      /** Which of those that are under way; 0 is the oldest. */
      readonly choice: number;
    }
  | { readonly move: 'reconnect' | 'sweep' | 'retry' };

/** A move, and how many turns of the microtask queue pass before the next; all of them where left out. */
export type TimedMove = Move & { readonly turns?: number | undefined };

export const READERS = 4;
/** Far more than any run needs to come to rest. */
const MAX_STEPS = 3_000;

export interface RunOptions {
  readonly live: Omit<LiveOptions, 'log' | 'delay'>;
  /** Two of the readers read in turn, like the subscriptions of one socket. */
  readonly inTurn?: boolean;
  /** Puts something broken between the log and live, to see that it is noticed. */
  readonly sabotage?: (log: EventLog) => EventLog;
}

export class LiveRun {
  readonly #name: LogName = randomLog();
  readonly #log = new SimulatedLog();
  readonly #readers: readonly ModelReader[];
  readonly #live;
  #delays: (() => void)[] = [];

  constructor({ live, inTurn = false, sabotage = (log) => log }: RunOptions) {
    const turns = inTurn ? new Turns() : undefined;
    this.#readers = Array.from(
      { length: READERS },
      (_, index) => new ModelReader(`reader-${index}`, this.#log, index < 2 ? turns : undefined),
    );
    this.#live = createLive({
      ...live,
      log: sabotage(this.#log),
      delay: () => new Promise((resolve) => this.#delays.push(resolve)),
    });
  }

  async play(moves: readonly TimedMove[]): Promise<void> {
    for (const move of moves) {
      this.#make(move);
      await pass(move.turns);
    }
  }

  /**
   * Lets everything come to rest: whoever is connected must then be live and at the end.
   * Answers everything that is wrong.
   */
  async verdict(): Promise<string[]> {
    const restless = !(await this.#rest());
    const atRest = this.#judge();
    // And it must still work: one more event, announced as usual, reaches everybody.
    this.#log.grow(1, 'published');
    for (const [index, reader] of this.#readers.entries()) {
      if (index % 2 === 1) reader.connect(this.#live, this.#name, 'beginning');
    }
    const restlessStill = !(await this.#rest());
    const complaints = this.#readers.flatMap((reader) => reader.complaints);
    if (restless || restlessStill) complaints.push('it never comes to rest');
    for (const [index, reader] of this.#readers.entries()) {
      if (reader.connected && !reader.live) complaints.push(`reader-${index} never became live`);
    }
    return [...complaints, ...atRest, ...this.#judge()];
  }

  close(): void {
    this.#live.close();
  }

  #judge(): string[] {
    const events = this.#log.remembered.map(({ id, data }) => ({ id, tag: String(data) }));
    const given = this.#log.given.map(({ id, data }) => ({ id, tag: String(data) }));
    const found = checkHistory({
      log: this.#name,
      appends: given.map(({ id, tag }) => ({
        ...{ writer: 'model', tags: [tag], ids: [id] },
        outcome: 'acknowledged',
      })),
      events,
      trimmed: this.#log.trimmedThrough,
      lossyStore: true,
      // One that is away is not owed the end of the log.
      readers: this.#readers.filter((reader) => reader.connected).map((reader) => reader.history),
    });
    return found.map(({ fault, message }) => `${fault}: ${message}`);
  }

  async #rest(): Promise<boolean> {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      for (const reader of this.#readers) reader.open();
      await pass();
      if (this.#retry()) continue;
      if (!this.#log.step()) return true;
    }
    return false;
  }

  #retry(): boolean {
    const delays = this.#delays.splice(0);
    for (const end of delays) end();
    return delays.length > 0;
  }

  #make(move: Move): void {
    const log = this.#log;
    switch (move.move) {
      case 'grow':
        log.grow(move.count, move.telling);
        break;
      case 'cutHead':
      case 'loseTail':
        log[move.move](move.count);
        break;
      case 'connect':
        this.#readers[move.reader]!.connect(this.#live, this.#name, move.first);
        break;
      case 'disconnect':
      case 'pause':
      case 'resume':
      case 'fill':
      case 'drain':
        this.#readers[move.reader]![move.move]();
        break;
      case 'refuse':
        this.#readers[move.reader]!.refuse(move.times);
        break;
      case 'reconnect':
      case 'sweep':
        log[move.move]();
        break;
      case 'retry':
        this.#retry();
        break;
      default:
        log[move.move](move.choice);
        break;
    }
  }
}

/** Lets so many turns of the microtask queue pass, or all that there are. */
async function pass(turns?: number): Promise<void> {
  if (turns === undefined) return new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < turns; turn += 1) await undefined;
}
