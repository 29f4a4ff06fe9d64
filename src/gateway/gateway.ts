/**
 * The process that clients connect to, as a portable object on web standards. What is a runtime's
 * own business (a port, a WebSocket) is in `listen-node.ts`.
 */
import type { Live } from '../live/live.ts';
import { endsWith } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import { protocolError } from '../protocol/problem.ts';
import type { Records } from '../records/records.ts';
import { Appending } from './appending.ts';
import { shownOf } from './failure.ts';
import { Heartbeat } from './heartbeat.ts';
import type { AccountKeeper, WhoMayRegister } from './http/account-keeper.ts';
import type { AccountRoutes } from './http/account-routes.ts';
import { BodyReader } from './http/body.ts';
import { createApp } from './http/http.ts';
import { problemResponse } from './http/problem-response.ts';
import type { EventStream } from './http/sse.ts';
import { Access, type AccessOptions } from './identity/access.ts';
import type { Connection } from './identity/connection.ts';
import type { RequestHead } from './identity/identity.ts';
import { LargeEvents } from './large-events.ts';
import { Answers } from './limits/answers.ts';
import { appendRate, registrationRate } from './limits/append-rates.ts';
import { ConnectionLimits } from './limits/connection-limits.ts';
import { InMemory } from './limits/in-memory.ts';
import { watchedRecords } from './limits/limit-records.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from './limits/limits.ts';
import { LoopTurns } from './limits/loop-turns.ts';
import { guarded, type Logger, SILENT } from './logger.ts';
import { Refusals } from './refusals.ts';
import { type Admission, readAdmission } from './sockets/admission.ts';
import { Session } from './sockets/session.ts';
import type { GatewaySocket, SocketSession } from './sockets/socket.ts';

export interface GatewayOptions extends AccessOptions {
  readonly log: EventLog;
  readonly live: Live;
  /** Answers `/accounts`. Left out: there are no such addresses. */
  readonly accounts?: AccountKeeper | undefined;
  /** Who may register accounts. Default: `open` when the gateway is open itself, else `admin`. */
  readonly registration?: WhoMayRegister | undefined;
  readonly limits?: Partial<GatewayLimits> | undefined;
  /**
   * Where gateways that share a store count appends and connections together. Left out: the limits
   * are those of this gateway alone.
   */
  readonly sharedLimits?: Records | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  /** How often a socket is pinged, in milliseconds. Default 25,000. */
  readonly pingInterval?: number | undefined;
  /** How long a socket may show no sign of life before it is closed, in milliseconds. Default 60,000. */
  readonly idleTimeout?: number | undefined;
}

export interface Gateway {
  /** What it serves; closing it ends the gateway, and so whoever listens for it. */
  readonly log: EventLog;
  readonly limits: GatewayLimits;
  readonly logger: Logger;
  /** Whether there is a proxy in front, which tells the addresses of clients. */
  readonly trustProxy: boolean;
  /** As in {@link GatewayOptions}. */
  readonly idleTimeout: number;
  /** Answers a plain HTTP request. Never rejects. */
  fetch(request: Request, connection?: Connection): Promise<Response>;
  /** Decides about a WebSocket upgrade: whether it may go ahead, or what to answer instead. Never rejects. */
  admit(request: RequestHead, connection?: Connection): Promise<Admission | Response>;
  /** Takes over a socket that was upgraded after {@link admit}. */
  accept(socket: GatewaySocket, admission: Admission): SocketSession;
  /**
   * Takes no new work, lets appends under way finish, then closes all sockets with 1001 and ends
   * all event streams. The log and the live delivery stay open: they are the caller's. Closing the
   * log does this first.
   */
  close(): Promise<void>;
  /** Cuts whatever {@link close} could not end in time. */
  terminate(): void;
}

/** A gateway over a log and its live delivery. It listens on nothing by itself. */
export function createGateway(options: GatewayOptions): Gateway {
  const { log, live, pingInterval = 25_000, idleTimeout = 60_000 } = options;
  const logger = guarded(options.logger ?? SILENT);
  const limits: GatewayLimits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const access = new Access(options);
  const { sharedLimits } = options;
  const shared = sharedLimits === undefined ? undefined : watchedRecords(sharedLimits, logger);
  const connections = new ConnectionLimits(limits, shared);
  const rate = appendRate(limits, shared);
  const heartbeat = new Heartbeat(pingInterval, idleTimeout);
  const refusals = new Refusals(logger, options.trustProxy ?? false);
  const sessions = new Set<Session>();
  const eventStreams = new Set<EventStream>();
  const requests = new Set<Promise<Response>>();
  const { sendBufferBytes } = limits;
  const turns = new LoopTurns();
  const inMemory = new InMemory(limits.maxBodyBytesTogether);
  const appending = new Appending({ log, access, appendRate: rate, inMemory });
  const bodies = new BodyReader(limits, inMemory, turns);
  const large = new LargeEvents(live, limits.largeEventBytes, turns);
  const app = createApp({
    appending,
    live,
    logger,
    refusals,
    heartbeat,
    eventStreams,
    sendBufferBytes,
    limits,
    large,
    bodies,
    access,
    answers: new Answers(limits.maxAnswerBytesTogether),
    connections,
    appendRate: rate,
    accounts: accountRoutes(options, {
      access,
      bodies,
      appendRate: rate,
      registrationRate: registrationRate(limits, shared),
    }),
  });
  const sessionContext = {
    appending,
    live,
    access,
    turns,
    large,
    limits,
    logger,
    heartbeat,
    sessions,
  };
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    endEventStreams();
    await Promise.all([...[...sessions].map((session) => session.finish()), ...requests]);
    // One of the requests may have been for a stream.
    endEventStreams();
    heartbeat.stop();
    connections.close();
    refusals.close();
    leave();
  }

  function endEventStreams(): void {
    for (const eventStream of eventStreams) eventStream.close();
  }

  const gateway: Gateway = {
    log,
    limits,
    logger,
    trustProxy: (options.trustProxy ?? false) !== false,
    idleTimeout,
    async fetch(request, connection = {}) {
      if (closing !== undefined) return problemResponse(shuttingDown());
      const answer = Promise.resolve(app.fetch(request, { connection }));
      requests.add(answer);
      try {
        return await answer;
      } catch (error) {
        // Not every router hands on what is thrown and is no error.
        return problemResponse(shownOf(error, logger, 'a request failed'));
      } finally {
        requests.delete(answer);
      }
    },
    async admit(request, connection = {}) {
      try {
        const admission = await readAdmission(request, connection, access, connections);
        if (closing !== undefined) {
          admission?.place.leave();
          throw shuttingDown();
        }
        return admission ?? new Response('Not Found', { status: 404 });
      } catch (error) {
        const shown = shownOf(error, logger, 'an upgrade failed');
        refusals.upgrade(shown, request, connection);
        return problemResponse(shown);
      }
    },
    accept: (socket, admission) => new Session(sessionContext, socket, admission),
    close() {
      closing ??= close();
      return closing;
    },
    terminate() {
      for (const session of sessions) session.terminate();
    },
  };
  const leave = endsWith(log, 'work', () => gateway.close());
  return gateway;
}

function accountRoutes(
  { accounts, registration }: GatewayOptions,
  parts: Omit<AccountRoutes, 'accounts' | 'registration'>,
): AccountRoutes | undefined {
  if (accounts === undefined) return undefined;
  const byDefault = parts.access.open ? 'open' : 'admin';
  return { ...parts, accounts, registration: registration ?? byDefault };
}

function shuttingDown() {
  return protocolError('shutting_down', 'the gateway is shutting down; connect again');
}
