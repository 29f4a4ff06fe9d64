/**
 * Many small pieces of work, one transaction: what is submitted while a commit is under way goes
 * into the next one, so that they all share one flush.
 *
 *   submit ─► queue ─► decide, in order ─► stages flush ─► write (one transaction) ─► settle, in order
 *                      (sees what earlier work of the batch staged)      └─ failed ─► fail, each
 *
 * One batch at a time: work is decided upon what is on the disk and what is staged before it in
 * its own batch, never upon a batch that may still fail.
 */
import type { MillraceError } from '../../event/error.ts';
import { Closed, OutcomeUnknown, Unavailable } from '../../event/store-errors.ts';
import type { OrderedMap } from './ordered-map.ts';
import { describeProblem } from './store-errors.ts';
import type { BatchWriter, Write } from './store-writer.ts';

/** How much goes into one transaction, and how much may wait for the next. */
const MIN_BATCH_WORKS = 512;
const MAX_BATCH_WORKS = 2_000;
const MAX_BATCH_BYTES = 16_777_216;
const MAX_WAITING_BYTES = 268_435_456;

/** What a piece of work changes beside its own bytes: pages that are copied for a few more. */
const PAGES_BYTES = 32_768;

/** After how many milliseconds work is given up: a disk that takes longer is as good as gone. */
const COMMIT_PATIENCE = 30_000;

/** One piece of work. Exactly one of `settle` and `fail` is called in the end. */
export interface Work {
  /** About how much it writes. */
  readonly bytes: number;
  /** It makes room on the disk, and is done also when there is hardly any left. */
  readonly frees?: boolean;
  /**
   * Looks, decides and stages. It must not stage anything when it throws; what it throws goes to
   * {@link fail}, once what it was decided upon is on the disk.
   */
  decide(batch: WriteBatch): void;
  /** What was staged is on the disk, and visible. */
  settle(): void;
  fail(error: MillraceError): void;
  /** Its batch was given up as {@link OutcomeUnknown}, and has come to its end after all. */
  late?(): void;
}

/** What one owner has staged in a batch and writes at its end. */
export interface Stage {
  /** Puts everything into the batch. */
  flush(batch: WriteBatch): void;
  /** The batch is on the disk. */
  settle(): void;
}

/** What there is on the disk. */
export interface Room {
  /** How many bytes appends may write. */
  room(): number;
  /** Whether work that frees may be done. */
  mayFree(): boolean;
}

/** The changes of one transaction. */
export class WriteBatch {
  readonly writes: Write[] = [];
  readonly #stages = new Map<object, Stage>();

  put<Key>(database: OrderedMap<Key, unknown>, key: Key, value: Uint8Array): void {
    this.writes.push({ database: database as OrderedMap<never, unknown>, key, value });
  }

  remove<Key>(database: OrderedMap<Key, unknown>, key: Key): void {
    this.writes.push({ database: database as OrderedMap<never, unknown>, key, value: undefined });
  }

  /** What `owner` has staged in this batch so far. */
  stage<S extends Stage>(owner: object, create: () => S): S {
    const stage = (this.#stages.get(owner) as S | undefined) ?? create();
    this.#stages.set(owner, stage);
    return stage;
  }

  flush(): void {
    for (const stage of this.#stages.values()) stage.flush(this);
  }

  settle(): void {
    for (const stage of this.#stages.values()) stage.settle();
  }
}

export class GroupCommit {
  readonly #writer: BatchWriter;
  readonly #space: Room;
  #queue: Work[] = [];
  #waitingBytes = 0;
  #running = false;
  #closed = false;
  #idle: (() => void)[] = [];
  #inFlight: readonly Work[] = [];

  constructor(writer: BatchWriter, space: Room) {
    this.#writer = writer;
    this.#space = space;
  }

  submit(work: Work): void {
    if (this.#closed) {
      work.fail(new Closed());
      return;
    }
    if (this.#waitingBytes + work.bytes > MAX_WAITING_BYTES) {
      work.fail(new Unavailable(`${this.#waitingBytes} bytes wait to be written already`));
      return;
    }
    this.#waitingBytes += work.bytes;
    this.#queue.push(work);
    if (this.#running) return;
    this.#running = true;
    // Not at once: what else this turn of the event loop brings shares the commit.
    setImmediate(() => void this.#run());
  }

  /** Resolves when all that was submitted before has come to its end, well or not. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.submit({ bytes: 0, decide: () => {}, settle: resolve, fail: () => resolve() });
    });
  }

  /**
   * Takes no more work and waits for the end of what there is, `patience` milliseconds at most.
   * @returns whether everything has come to its end; if not, it was failed
   */
  async close(patience: number): Promise<boolean> {
    this.#closed = true;
    if (!this.#running) return true;
    let timer: NodeJS.Timeout | undefined;
    const ended = await Promise.race([
      new Promise<true>((resolve) => this.#idle.push(() => resolve(true))),
      new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), patience);
      }),
    ]);
    clearTimeout(timer);
    if (!ended) this.#giveUp('the store was closed while its disk did not answer');
    return ended;
  }

  async #run(): Promise<void> {
    let answered: Answered | undefined;
    for (;;) {
      const works = this.#take(answered?.works.length ?? 0);
      if (works.length === 0 && answered === undefined) break;
      // Written while those of the batch before are answered, and make up their next ones.
      const writing = works.length === 0 ? undefined : this.#commit(works);
      if (answered !== undefined) answer(answered);
      answered = await writing;
      // Nothing is under way now: what comes from those just answered is to share the next commit.
      if (writing === undefined) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#running = false;
    for (const tell of this.#idle.splice(0)) tell();
  }

  async #commit(works: readonly Work[]): Promise<Answered | undefined> {
    const batch = new WriteBatch();
    const refusals = new Map<Work, MillraceError>();
    let failure: MillraceError | undefined;
    try {
      this.#decide(works, batch, refusals);
      batch.flush();
    } catch (error) {
      // What is on the disk could not be looked at.
      const problem = describeProblem(error);
      failure = new Unavailable(`reading failed: ${problem}`, { cause: error });
    }
    this.#inFlight = works;
    // Again and again: what is submitted while the disk hangs is not to wait for ever either.
    const watchdog = setInterval(
      () => this.#giveUp(`the disk has not answered for ${COMMIT_PATIENCE / 1000} s`),
      COMMIT_PATIENCE,
    );
    if (failure === undefined && batch.writes.length > 0) {
      failure = await this.#writer.write(batch.writes);
    }
    clearInterval(watchdog);
    if (failure === undefined) batch.settle();
    if (this.#inFlight !== works) {
      for (const work of works) work.late?.();
      return undefined;
    }
    this.#inFlight = [];
    return { works, failure, refusals };
  }

  #decide(works: readonly Work[], batch: WriteBatch, refusals: Map<Work, MillraceError>): void {
    let room = this.#space.room();
    for (const work of works) {
      try {
        if (work.frees === true) {
          if (!this.#space.mayFree()) throw new Unavailable('the disk is full');
        } else {
          room -= 2 * work.bytes + PAGES_BYTES;
          if (room < 0) throw new Unavailable('the disk is full');
        }
        work.decide(batch);
      } catch (error) {
        refusals.set(work, error as MillraceError);
      }
    }
  }

  /**
   * Takes half of what is under way, so that one half can be written while the other is answered
   * and comes back.
   */
  #take(answered: number): readonly Work[] {
    const share = Math.ceil((this.#queue.length + answered) / 2);
    const most = Math.min(Math.max(share, MIN_BATCH_WORKS), MAX_BATCH_WORKS);
    let bytes = 0;
    let count = 0;
    for (const work of this.#queue) {
      bytes += work.bytes;
      if (count > 0 && (count >= most || bytes > MAX_BATCH_BYTES)) break;
      count++;
      this.#waitingBytes -= work.bytes;
    }
    return this.#queue.splice(0, count);
  }

  #giveUp(reason: string): void {
    const sent = this.#inFlight;
    const waiting = this.#queue;
    this.#inFlight = [];
    this.#queue = [];
    this.#waitingBytes = 0;
    for (const work of sent) work.fail(new OutcomeUnknown(reason));
    for (const work of waiting) work.fail(new Unavailable(reason));
  }
}

/** A batch that has come to its end, and whose works are still to be told. */
interface Answered {
  readonly works: readonly Work[];
  readonly failure: MillraceError | undefined;
  readonly refusals: ReadonlyMap<Work, MillraceError>;
}

function answer({ works, failure, refusals }: Answered): void {
  for (const work of works) {
    const refusal = refusals.get(work);
    if (failure === undefined && refusal === undefined) work.settle();
    else work.fail(outcome(failure, refusal));
  }
}

function outcome(failure: MillraceError | undefined, refusal: MillraceError | undefined) {
  if (failure === undefined || refusal === undefined) return (failure ?? refusal)!;
  // It was refused because of something that may not have happened; of its own nothing was sent.
  return new Unavailable(failure.message, { cause: failure });
}
