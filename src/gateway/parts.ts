/** What a gateway is made of: one of each, shared by all that it serves. */
import { observer } from '../metrics/observer.ts';
import { Appending } from './appending.ts';
import { Heartbeat } from './heartbeat.ts';
import type { AccountRoutes } from './http/account-routes.ts';
import { BodyReader } from './http/body.ts';
import type { HttpContext } from './http/http.ts';
import type { EventStream } from './http/sse.ts';
import { Access } from './identity/access.ts';
import { LargeEvents } from './large-events.ts';
import { Answers } from './limits/answers.ts';
import { appendRate, registrationRate } from './limits/append-rates.ts';
import { ConnectionLimits } from './limits/connection-limits.ts';
import { InMemory } from './limits/in-memory.ts';
import { type LimitRecords, watchedRecords } from './limits/limit-records.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from './limits/limits.ts';
import { LoopTurns } from './limits/loop-turns.ts';
import { guarded, SILENT } from './logger.ts';
import type { GatewayOptions } from './options.ts';
import { Refusals } from './refusals.ts';
import type { Session, SessionContext } from './sockets/session.ts';

export interface GatewayParts extends SessionContext, HttpContext {
  readonly limits: GatewayLimits;
  readonly idleTimeout: number;
}

export function partsOf(options: GatewayOptions): GatewayParts {
  const { log, live, sharedLimits, pingInterval = 25_000, idleTimeout = 60_000 } = options;
  const limits: GatewayLimits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const logger = guarded(options.logger ?? SILENT);
  const shared = sharedLimits === undefined ? undefined : watchedRecords(sharedLimits, logger);
  const access = new Access(options);
  const rate = appendRate(limits, shared);
  const turns = new LoopTurns();
  const inMemory = new InMemory(limits.maxBodyBytesTogether);
  const parts = {
    live,
    limits,
    logger,
    idleTimeout,
    access,
    turns,
    appendRate: rate,
    appending: new Appending({ log, access, appendRate: rate, inMemory }),
    bodies: new BodyReader(limits, inMemory, turns),
    large: new LargeEvents(live, limits.largeEventBytes, turns),
    answers: new Answers(limits.maxAnswerBytesTogether),
    connections: new ConnectionLimits(limits, shared),
    heartbeat: new Heartbeat(pingInterval, idleTimeout),
    refusals: new Refusals(logger, options.trustProxy ?? false, observer(options)),
    sessions: new Set<Session>(),
    eventStreams: new Set<EventStream>(),
  };
  return { ...parts, accounts: accountRoutes(options, parts, shared) };
}

function accountRoutes(
  { accounts, registration }: GatewayOptions,
  parts: Pick<AccountRoutes, 'access' | 'bodies' | 'appendRate'> & Pick<GatewayParts, 'limits'>,
  shared: LimitRecords | undefined,
): AccountRoutes | undefined {
  if (accounts === undefined) return undefined;
  const { access, bodies, appendRate, limits } = parts;
  return {
    accounts,
    registration: registration ?? (access.open ? 'open' : 'admin'),
    access,
    bodies,
    appendRate,
    registrationRate: registrationRate(limits, shared),
  };
}
