/** The seam between what runs and who watches it: where counts, times and notices go. */
import { InvalidInput } from '../event/error.ts';
import { onlyTold } from '../event/thrown.ts';
import { consoleLines } from './console-lines.ts';
import type { Count, Gauge, Metrics, Timing } from './metrics.ts';
import type { Notice } from './notice.ts';

/** Who is told what goes wrong. */
export interface NoticeOptions {
  /**
   * Told what goes wrong and what is passed over, for log lines. What it throws changes nothing.
   * Default: a line on the console, and no more than one a second of each kind.
   */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
}

/** Who measures. */
export interface MetricsOptions {
  /** Where things are counted and timed. Default: nowhere, at no cost. */
  readonly metrics?: Metrics | undefined;
}

/** What the parts of Millrace are handed. */
export interface Observer extends Metrics {
  notice(notice: Notice): void;
}

/** @throws InvalidInput */
export function observer({ metrics, onNotice }: NoticeOptions & MetricsOptions): Observer {
  if (onNotice !== undefined) mustBeFunction(onNotice, 'onNotice');
  const tell = onNotice === undefined ? consoleLines() : onlyTold('onNotice', onNotice);
  if (metrics === undefined) return new Quiet(tell);
  for (const name of ['count', 'time', 'gauge'] as const) {
    mustBeFunction(metrics[name], `metrics.${name}`);
  }
  const count = onlyTold('metrics.count', (name: Count, by: number, of?: string) =>
    metrics.count(name, by, of),
  );
  return {
    count,
    time: onlyTold('metrics.time', (name: Timing, milliseconds: number) =>
      metrics.time(name, milliseconds),
    ),
    gauge: onlyTold('metrics.gauge', (name: Gauge, value: number, of?: string) =>
      metrics.gauge(name, value, of),
    ),
    notice(notice) {
      count('notices', 1, notice.what);
      tell(notice);
    },
  };
}

/** Where nobody measures: one class, so that a call on a hot path is one that does nothing. */
class Quiet implements Observer {
  readonly notice: (notice: Notice) => void;

  constructor(tell: (notice: Notice) => void) {
    this.notice = tell;
  }

  count(_name: Count, _by: number, _of?: string): void {}

  time(_name: Timing, _milliseconds: number): void {}

  gauge(_name: Gauge, _value: number, _of?: string): void {}
}

/** Tells nobody anything. */
export const SILENT: Observer = new Quiet(() => {});

function mustBeFunction(value: unknown, field: string): void {
  if (typeof value !== 'function') throw new InvalidInput(field, 'must be a function');
}
