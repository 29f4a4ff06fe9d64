/**
 * Says when the commands of a place can be used again: the connection is back, and the server knows
 * the scripts that many callers want at once.
 *
 *   ready ──► scripts ──► fine: `resume`            ┌── after a while ──┐
 *     ▲          │                                  ▼                   │
 *     │          └── refused: told, and asked again ┴───────────────────┘
 *     └── close: `pause`, told
 */
import { failureOf, reasonOf } from './connection.ts';
import type { RedisPlace } from './redis-place.ts';
import { type Script, sendScripts } from './scripts.ts';

export interface ReadinessOptions {
  readonly scripts: readonly Script[];
  /** The connection is lost. */
  readonly pause: () => void;
  /** The server knows the scripts. */
  readonly resume: () => void;
  /** The connection is open again: whatever was heard of meanwhile is lost. */
  readonly back: () => void;
}

export class Readiness {
  readonly #place: RedisPlace;
  readonly #options: ReadinessOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(place: RedisPlace, options: ReadinessOptions) {
    this.#place = place;
    this.#options = options;
    const { commands, report } = place;
    let reason: string | undefined;
    commands.on('error', (error: Error) => {
      reason = reasonOf(error);
      // Of logging in, say: the password may have been changed.
      if (failureOf(error) === 'refused') report.trouble('commands', 'refused', reason);
    });
    commands.on('close', () => {
      options.pause();
      if (!this.#closed) report.trouble('commands', 'lost', reason);
      reason = undefined;
    });
    commands.on('ready', () => {
      if (!this.#closed) void this.prepare().then(options.back);
    });
  }

  /** Makes sure that the server knows the scripts; fails never, but tries again. */
  async prepare(): Promise<void> {
    const { commands, report, patience } = this.#place;
    if (commands.status !== 'ready') return;
    try {
      await sendScripts(commands, this.#options.scripts);
    } catch (error) {
      // When it was lost again, this runs again once it is back.
      if (failureOf(error) !== 'refused') return;
      report.trouble('commands', 'refused', reasonOf(error));
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.prepare(), patience.pingInterval);
      this.#timer.unref();
      return;
    }
    this.#options.resume();
    report.fine('commands');
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
