/**
 * The loop of a worker: takes logs while it has room, looks when the feed may have grown, shows
 * that it is alive, and comes to an orderly end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogName } from '../event/log-name.ts';
import { Closed } from '../event/store-errors.ts';
import { endsWith } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import { orAborted } from '../log/or-aborted.ts';
import type { LeasedLog, WorkConsumer } from '../work-queues/work-queues.ts';
import { LogRun, type RunSettings } from './log-run.ts';
import { Places } from './places.ts';
import type { Ending } from './progress.ts';
import { Settlements } from './settlements.ts';
import { whileAway } from './while-away.ts';

/** How long one take waits for work, in milliseconds. */
const WAIT = 1_000;
/** So many logs are taken ahead at most, and as many as are done within so many milliseconds. */
const MOST_AHEAD = 200;
const MOMENT = 20;
/** The bounds of what a log's turn is thought to take, in milliseconds. */
const QUICK_TURN = 0.2;
const SLOW_TURN = 1_000;
/** How many logs may be done and still on their way to the store. */
const MOST_ENDING = 1_000;
/** How long a handler has after its signal was aborted, in milliseconds. */
const LAST_GRACE = 500;
/** How long to wait before a take that failed is tried again, in milliseconds. */
const RETRY_INTERVAL = 250;
/** How often {@link WorkLoop.drain} asks, in milliseconds. */
const DRAIN_INTERVAL = 20;

export interface LoopSettings extends RunSettings {
  readonly concurrency: number;
  readonly grace: number;
  readonly lookInterval: number;
}

interface Active {
  readonly run: LogRun;
  /** Resolves when all is over: the handler has ended, and what came of it is written down. */
  readonly ended: Promise<void>;
}

export class WorkLoop {
  readonly #log: Pick<EventLog, 'append' | 'read' | 'followFeed'>;
  readonly #consumer: WorkConsumer;
  readonly #settings: LoopSettings;
  readonly #settlements: Settlements;
  readonly #active = new Map<LogName, Active>();
  readonly #stopping = new AbortController();
  #isAborted = false;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #places: Places;
  /** Logs that are taken and whose turn is not over. */
  #taken = 0;
  /** How long a log's turn takes, in milliseconds, the later ones counting more. */
  #turnTime = SLOW_TURN;
  #room: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #taking: Promise<void> = Promise.resolve();
  #unfollow: (() => void) | undefined;
  /** It does not end with the log any more. */
  #leave: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    log: Pick<EventLog, 'append' | 'read' | 'followFeed'>,
    consumer: WorkConsumer,
    settings: LoopSettings,
  ) {
    this.#log = log;
    this.#consumer = consumer;
    this.#settings = settings;
    this.#settlements = new Settlements(consumer);
    this.#places = new Places(settings.concurrency);
  }

  start(): void {
    const { leaseTime, lookInterval } = this.#settings;
    this.#timers.push(
      setInterval(() => this.#lookSoon(), lookInterval),
      setInterval(() => this.#renew(), leaseTime / 4),
    );
    this.#leave = endsWith(this.#log, 'work', (grace) => this.stop(grace));
    this.#lookSoon();
    void this.#follow();
    this.#taking = this.#take();
  }

  async lag(): Promise<number> {
    const lag = await this.#consumer.lag();
    this.#settings.observer.gauge('queue_depth', lag, this.#settings.group);
    return lag;
  }

  async drain(signal?: AbortSignal): Promise<void> {
    await orAborted(() => this.#drain(signal), signal);
  }

  async #drain(signal: AbortSignal | undefined): Promise<void> {
    while (!signal?.aborted) {
      this.#mustRun();
      this.#lookSoon();
      await this.#looking;
      this.#mustRun();
      const lag = await whileAway(() => this.lag(), this.#stopping.signal, this.#onAway);
      if (lag === 0) return;
      await sleep(DRAIN_INTERVAL);
    }
  }

  /** @param mostGrace where there is less time than the settings say, in milliseconds */
  stop(mostGrace: number = Number.POSITIVE_INFINITY): Promise<void> {
    this.#stopped ??= this.#stop(Math.min(mostGrace, this.#settings.grace));
    return this.#stopped;
  }

  async #stop(grace: number): Promise<void> {
    this.#stopping.abort();
    for (const { run } of this.#active.values()) run.stop();
    this.#room?.();
    this.#unfollow?.();
    await this.#allEnded(grace);
    this.#isAborted = true;
    for (const { run } of this.#active.values()) run.abort(new Error('the worker was stopped'));
    await this.#allEnded(LAST_GRACE);
    for (const timer of this.#timers) clearInterval(timer);
    const still = Array.from(this.#active.values(), ({ run }) => run);
    for (const { progress } of still) progress.lose();
    await this.#looking;
    // When that is not possible, the leases run out.
    await this.#consumer.leave(still.map(({ leased }) => leased)).catch(this.#onAway);
    this.#leave?.();
  }

  async #allEnded(patience: number): Promise<void> {
    const late = new AbortController();
    const ended = async () => {
      await this.#taking;
      await Promise.all(Array.from(this.#active.values(), (each) => each.ended));
    };
    await Promise.race([
      ended(),
      sleep(patience, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
  }

  async #take(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const { concurrency } = this.#settings;
      // What waits in here waits while another might be idle: never longer than a moment.
      const ahead = Math.min(MOST_AHEAD, (concurrency * MOMENT) / this.#turnTime);
      const free = Math.floor(concurrency + ahead) - this.#taken;
      if (free <= 0 || this.#active.size - this.#taken >= MOST_ENDING) {
        await new Promise<void>((resolve) => {
          this.#room = resolve;
        });
        continue;
      }
      try {
        const taken = await this.#consumer.take(free, WAIT, signal);
        for (const leased of taken) this.#begin(leased);
      } catch (error) {
        if (signal.aborted) return;
        this.#onAway(error);
        await sleep(RETRY_INTERVAL, undefined, { signal }).catch(() => {});
      }
    }
  }

  #begin(leased: LeasedLog): void {
    const { log } = leased;
    const run = new LogRun(leased, this.#log, this.#settlements, this.#settings);
    if (this.#stopping.signal.aborted) run.stop();
    const before = this.#active.get(log);
    this.#taken += 1;
    const active = { run, ended: this.#run(run, before) };
    this.#active.set(log, active);
    void active.ended.then(() => {
      if (this.#active.get(log) === active) this.#active.delete(log);
      this.#makeRoom();
    });
  }

  /** @param before what this worker still does on the log, although it has lost it */
  async #run(run: LogRun, before: Active | undefined): Promise<void> {
    const { progress, leased } = run;
    // What has been given up, and is not yet told so, is no loss.
    if (before?.run.progress.isEnding === false) before.run.progress.lose();
    await before?.ended;
    let ending: Ending;
    const leavePlace = await this.#places.enter();
    const since = performance.now();
    try {
      ending = await run.run();
    } catch (error) {
      this.#onAway(error);
      ending = { next: { after: WAIT } };
    }
    leavePlace();
    this.#taken -= 1;
    this.#turnTime += (Math.max(QUICK_TURN, performance.now() - since) - this.#turnTime) / 8;
    this.#makeRoom();
    await progress.end(ending);
    if (progress.isLost && !this.#isAborted) {
      this.#settings.notice({ what: 'lease_lost', log: leased.log });
    }
    const { next } = ending;
    if (typeof next !== 'object' || next.after > this.#settings.lookInterval) return;
    setTimeout(() => this.#lookSoon(), next.after + 1).unref();
  }

  #makeRoom(): void {
    const tell = this.#room;
    this.#room = undefined;
    tell?.();
  }

  #renew(): void {
    for (const { run } of this.#active.values()) run.progress.renew();
  }

  #lookSoon(): void {
    if (this.#stopping.signal.aborted) return;
    this.#lookAgain = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#lookAgain && !signal.aborted) {
      this.#lookAgain = false;
      try {
        if (await this.#consumer.look()) this.#lookAgain = true;
      } catch (error) {
        // The next look comes by itself.
        if (!signal.aborted) this.#onAway(error);
        return;
      }
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    const wake = () => this.#lookSoon();
    const unfollow = await whileAway(
      () => this.#log.followFeed(wake, signal),
      signal,
      this.#onAway,
    ).catch(() => undefined);
    if (signal.aborted) unfollow?.();
    else this.#unfollow = unfollow;
  }

  readonly #onAway = (error: unknown): void => {
    // Nothing can come of a store that its owner has closed.
    if (error instanceof Closed) void this.stop();
    else this.#settings.notice({ what: 'store', error });
  };

  #mustRun(): void {
    if (this.#stopping.signal.aborted) throw new Closed('the worker');
  }
}
