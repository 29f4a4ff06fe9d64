/** Metrics that remember what they were told. */
import type { Count, Gauge, Metrics, Timing } from '../../src/metrics/metrics.ts';

export class RecordedMetrics implements Metrics {
  /** How often, by name, or by name and label. */
  readonly counts: Record<string, number> = {};
  readonly times: Partial<Record<Timing, number[]>> = {};
  /** The last of each. */
  readonly gauges: Record<string, number> = {};

  count(name: Count, by: number, of?: string): void {
    const key = labelled(name, of);
    this.counts[key] = (this.counts[key] ?? 0) + by;
  }

  time(name: Timing, milliseconds: number): void {
    this.times[name] = [...(this.times[name] ?? []), milliseconds];
  }

  gauge(name: Gauge, value: number, of?: string): void {
    this.gauges[labelled(name, of)] = value;
  }
}

function labelled(name: string, of: string | undefined): string {
  return of === undefined ? name : `${name} ${of}`;
}
