/**
 * The process that clients connect to, as a portable object on web standards. What is a runtime's
 * own business (a port, a WebSocket) is a listener's: `node/listen.ts` is one.
 */
import { endsWith } from '../log/dependents.ts';
import type { EventLog } from '../log/log.ts';
import { protocolError } from '../protocol/problem.ts';
import { shownOf } from './failure.ts';
import { createApp } from './http/http.ts';
import type { HttpApp } from './http/http-app.ts';
import { problemResponse } from './http/problem-response.ts';
import type { Connection } from './identity/connection.ts';
import type { RequestHead } from './identity/identity.ts';
import type { GatewayLimits } from './limits/limits.ts';
import type { Logger } from './logger.ts';
import type { GatewayOptions } from './options.ts';
import { type GatewayParts, partsOf } from './parts.ts';
import { type Admission, readAdmission } from './sockets/admission.ts';
import { Session } from './sockets/session.ts';
import type { GatewaySocket, SocketSession } from './sockets/socket.ts';

export interface Gateway {
  /** What it serves; closing it ends the gateway, and so whoever listens for it. */
  readonly log: EventLog;
  readonly limits: GatewayLimits;
  readonly logger: Logger;
  /** Whether there is a proxy in front, which tells the addresses of clients. */
  readonly trustProxy: boolean;
  /** As in `GatewayOptions`. */
  readonly idleTimeout: number;
  /** Answers a plain HTTP request. Never rejects. */
  fetch(request: Request, connection?: Connection): Promise<Response>;
  /**
   * Decides about a WebSocket upgrade: whether it may go ahead, or what to answer instead. Never
   * rejects. Whoever is admitted has a place, which is to be left however the upgrade ends.
   */
  admit(request: RequestHead, connection?: Connection): Promise<Admission | Response>;
  /**
   * Takes over a socket that was upgraded after {@link admit}. From now on the listener tells the
   * session what happens to the socket, and leaves `admission.place` when the connection is gone.
   */
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
  const parts = partsOf(options);
  const { limits, logger, idleTimeout } = parts;
  const app = createApp(parts);
  const requests = new Set<Promise<Response>>();
  let closing: Promise<void> | undefined;
  const gateway: Gateway = {
    log: options.log,
    limits,
    logger,
    trustProxy: (options.trustProxy ?? false) !== false,
    idleTimeout,
    fetch(request, connection = {}) {
      if (closing !== undefined) return Promise.resolve(problemResponse(shuttingDown()));
      return answered(app, parts, requests, request, connection);
    },
    admit(request, connection = {}) {
      return admitted(parts, request, connection, () => closing !== undefined);
    },
    accept: (socket, admission) => new Session(parts, socket, admission),
    close() {
      closing ??= ended(parts, requests).then(leave);
      return closing;
    },
    terminate() {
      for (const session of parts.sessions) session.terminate();
    },
  };
  const leave = endsWith(options.log, 'work', () => gateway.close());
  return gateway;
}

async function answered(
  app: HttpApp,
  { logger }: GatewayParts,
  requests: Set<Promise<Response>>,
  request: Request,
  connection: Connection,
): Promise<Response> {
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
}

async function admitted(
  { access, connections, logger, refusals }: GatewayParts,
  request: RequestHead,
  connection: Connection,
  isClosing: () => boolean,
): Promise<Admission | Response> {
  try {
    const admission = await readAdmission(request, connection, access, connections);
    if (isClosing()) {
      admission?.place.leave();
      throw shuttingDown();
    }
    return admission ?? new Response('Not Found', { status: 404 });
  } catch (error) {
    const shown = shownOf(error, logger, 'an upgrade failed');
    refusals.upgrade(shown, request, connection);
    return problemResponse(shown);
  }
}

/** What is under way has ended, and everybody is told. */
async function ended(parts: GatewayParts, requests: Set<Promise<Response>>): Promise<void> {
  const { sessions, heartbeat, connections, refusals } = parts;
  endEventStreams(parts);
  await Promise.all([...[...sessions].map((session) => session.finish()), ...requests]);
  // One of the requests may have been for a stream.
  endEventStreams(parts);
  heartbeat.stop();
  connections.close();
  refusals.close();
}

function endEventStreams({ eventStreams }: GatewayParts): void {
  for (const eventStream of eventStreams) eventStream.close();
}

function shuttingDown() {
  return protocolError('shutting_down', 'the gateway is shutting down; connect again');
}
