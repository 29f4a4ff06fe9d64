/** The append rate that the limits of a gateway ask for. */
import { type AppendRate, LocalAppendRate, UNLIMITED } from './append-rate.ts';
import type { LimitRecords } from './limit-records.ts';
import type { GatewayLimits } from './limits.ts';
import { SharedAppendRate } from './shared-append-rate.ts';

export function appendRate(
  { appendRate: rate, appendBurst: burst }: Pick<GatewayLimits, 'appendRate' | 'appendBurst'>,
  shared: LimitRecords | undefined,
): AppendRate {
  if (rate === 0) return UNLIMITED;
  const rule = { rate, burst: Math.max(1, burst) };
  return shared === undefined ? new LocalAppendRate(rule) : new SharedAppendRate(shared, rule);
}
