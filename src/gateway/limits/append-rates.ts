/** The rates that the limits of a gateway ask for. */
import { type AppendRate, LocalAppendRate, type SpendingRule, UNLIMITED } from './append-rate.ts';
import type { LimitRecords } from './limit-records.ts';
import type { GatewayLimits } from './limits.ts';
import { SharedAppendRate } from './shared-append-rate.ts';

const SECONDS_AN_HOUR = 3_600;

export function appendRate(
  { appendRate: rate, appendBurst: burst }: Pick<GatewayLimits, 'appendRate' | 'appendBurst'>,
  shared: LimitRecords | undefined,
): AppendRate {
  return rateBy({ rate, burst: Math.max(1, burst) }, shared);
}

/** How often an address may register accounts where everybody may. */
export function registrationRate(
  { registrationRate: anHour }: Pick<GatewayLimits, 'registrationRate'>,
  shared: LimitRecords | undefined,
): AppendRate {
  const says = `may register ${anHour} accounts an hour (--registration-rate)`;
  const rule = { rate: anHour / SECONDS_AN_HOUR, burst: anHour, name: 'registrations', says };
  return rateBy(rule, shared);
}

function rateBy(rule: SpendingRule, shared: LimitRecords | undefined): AppendRate {
  if (rule.rate === 0) return UNLIMITED;
  return shared === undefined ? new LocalAppendRate(rule) : new SharedAppendRate(shared, rule);
}
