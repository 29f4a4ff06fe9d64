/** The writers and readers of a chaos run, and the verdict at its end. */
import type { LogName } from '../../src/event/log-name.ts';
import type { Complaint } from '../support/complaint.ts';
import { eventually } from '../support/eventually.ts';
import type { LogHistory, Outcome, SeenEvent } from '../support/history.ts';
import { checkHistory } from '../support/history-checker.ts';
import { randomId, randomLog } from '../support/names.ts';
import { Reader } from '../support/reader.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { Writer } from '../support/writer.ts';

export interface CastSize {
  readonly logs: number;
  /** In all; they are spread over the logs. */
  readonly writers: number;
  readonly readers: number;
  /**
   * The store loses its tail: acknowledged events may be gone, and with them what the log knew of
   * its producers, so nobody has one. Default false.
   */
  readonly lossyStore?: boolean;
}

/** What a log holds, from a source that is not what is being tested. */
export type Contents = (log: LogName) => Promise<readonly SeenEvent[]>;

const SETTLE_WITHIN = 30_000;

export class Cast {
  readonly logs: readonly LogName[];
  readonly writers: readonly Writer[];
  readonly readers: readonly Reader[];
  readonly #lossyStore: boolean;
  readonly #logOf = new Map<Writer, LogName>();

  /** @param gateway the base, like `ws://127.0.0.1:4000` */
  constructor(size: CastSize, gateway: string, random: SeededRandom) {
    const logs = Array.from({ length: size.logs }, () => randomLog());
    this.logs = logs;
    this.#lossyStore = size.lossyStore ?? false;
    this.writers = Array.from({ length: size.writers }, (_, index) => {
      const log = logs[index % logs.length]!;
      const writer = new Writer({
        ...{ name: `writer-${index}-${randomId()}`, log, gateway },
        // In each log most have a producer; the others must live with unknown outcomes.
        producer: !this.#lossyStore && Math.floor(index / logs.length) % 4 !== 3,
        window: random.between(1, 4),
        next: () => {
          const wait = random.between(5, 60);
          // Some above 16 KiB, whose publication carries no payload.
          if (random.next() < 0.03) return { events: random.between(1, 2), bytes: 17_000, wait };
          const events = random.next() < 0.8 ? 1 : random.between(2, 4);
          return { events, bytes: random.between(0, 400), wait };
        },
      });
      this.#logOf.set(writer, log);
      return writer;
    });
    this.readers = Array.from({ length: size.readers }, (_, index) => {
      const log = logs[index % logs.length]!;
      const via = Math.floor(index / logs.length) % 2 === 0 ? 'account' : 'subscribe';
      return new Reader({ name: `reader-${index}-${randomId()}`, log, gateway, via });
    });
  }

  start(): void {
    for (const reader of this.readers) reader.start();
    for (const writer of this.writers) writer.start();
  }

  stop(): void {
    for (const client of [...this.readers, ...this.writers]) client.stop();
  }

  /** Lets every append come to its end, and every reader to the end of its log. */
  async settle(contents: Contents): Promise<LogHistory[]> {
    for (const writer of this.writers) writer.finish();
    await eventually(() => expectSettled(this.writers), { timeout: SETTLE_WITHIN });
    return Promise.all(
      this.logs.map(async (log) => {
        const events = await contents(log);
        const last = events[events.length - 1]?.id;
        const readers = this.readers.filter((reader) => reader.log === log);
        // Whoever does not get there is the checker's to name.
        await eventually(() => readers.every(({ cursor }) => cursor === last), {
          timeout: SETTLE_WITHIN,
        }).catch(() => {});
        const writers = this.writers.filter((writer) => this.#logOf.get(writer) === log);
        const appends = writers.flatMap((writer) => writer.appends);
        const histories = readers.map(({ history }) => history);
        return { log, appends, events, lossyStore: this.#lossyStore, readers: histories };
      }),
    );
  }

  /** Everything that is wrong: broken promises, and answers that no client should have got. */
  problems(histories: readonly LogHistory[]): string[] {
    return [
      ...histories
        .flatMap(checkHistory)
        .map(({ fault, message }: Complaint) => `${fault}: ${message}`),
      ...this.writers.flatMap(({ name, problems }) => problems.map((text) => `${name}: ${text}`)),
      ...this.readers.flatMap(({ name, errors }) => errors.map((text) => `${name}: ${text}`)),
    ];
  }

  /** How many appends ended like that. */
  count(outcome: Outcome): number {
    const all = this.writers.flatMap(({ appends }) => appends);
    return all.filter((append) => append.outcome === outcome).length;
  }
}

function expectSettled(writers: readonly Writer[]): void {
  const left = writers.filter(({ settled }) => !settled).map((writer) => writer.summary);
  if (left.length > 0) throw new Error(`without an end: ${left.join('; ')}`);
}
