/** The HTTP side of the gateway: pages of a log, appends to it, and its live event stream. */
import { Hono } from 'hono';
import { type EventId, parseEventId } from '../../event/event-id.ts';
import { accountLog, type LogName, parseLogName } from '../../event/log-name.ts';
import type { Start } from '../../event/start.ts';
import { readAppend } from '../../protocol/append-request.ts';
import { writeAppended } from '../../protocol/appended.ts';
import { protocolError } from '../../protocol/problem.ts';
import { parseStart } from '../../protocol/start.ts';
import type { Appending } from '../appending.ts';
import { shownOf } from '../failure.ts';
import type { Answers } from '../limits/answers.ts';
import type { AppendRate } from '../limits/append-rate.ts';
import { type ConnectionLimits, spenderOf } from '../limits/connection-limits.ts';
import type { Logger } from '../logger.ts';
import type { Refusals } from '../refusals.ts';
import { readAdmission } from '../sockets/admission.ts';
import { prefersStream } from './accept.ts';
import { type AccountRoutes, addAccountRoutes } from './account-routes.ts';
import type { BodyReader } from './body.ts';
import { letRead, preflight } from './cors.ts';
import { type HttpApp, type HttpEnv, type HttpRequest, identify, onlyMethods } from './http-app.ts';
import { readPage } from './page.ts';
import { problemResponse } from './problem-response.ts';
import { EventStream, type EventStreamContext } from './sse.ts';

/** What the HTTP side needs. */
export interface HttpContext extends EventStreamContext {
  readonly appending: Appending;
  readonly bodies: BodyReader;
  readonly connections: ConnectionLimits;
  readonly answers: Answers;
  readonly appendRate: AppendRate;
  readonly logger: Logger;
  readonly refusals: Refusals;
  /** Left out: there are no accounts to register. */
  readonly accounts: AccountRoutes | undefined;
}

/** The routes, as a Hono app. */
export function createApp(context: HttpContext): HttpApp {
  const app: HttpApp = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    const entry = context.access.enter(c.req.raw, c.env.connection);
    c.set('entry', entry);
    // Reading is left to the browser: without our headers it keeps the answer from the page.
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') context.access.refuseForeign(entry);
    if (entry.page === undefined) return next();
    if (c.req.method === 'OPTIONS') return preflight(entry.page);
    await next();
    letRead(c.res.headers, entry.page);
  });
  app.get('/', (c) => c.text('Healthy'));
  for (const [path, logOf] of LOG_PATHS) {
    app.get(path, (c) => read(context, c, logOf(c)));
    app.post(path, (c) => append(context, c, logOf(c)));
    onlyMethods(app, path, 'GET', 'HEAD', 'POST');
  }
  addTickets(context, app);
  if (context.accounts !== undefined) addAccountRoutes(context.accounts, app);
  // What an upgrade would be answered: a browser does not show that to its page.
  app.get('/ws/:account?', async (c, next) => {
    const { connection } = c.env;
    const admission = await readAdmission(
      c.req.raw,
      connection,
      context.access,
      context.connections,
    );
    admission?.place.leave();
    await next();
  });
  app.all('/ws/:account?', () => {
    const error = protocolError('upgrade_required', 'connect here with a WebSocket client');
    return problemResponse(error, { Upgrade: 'websocket', Connection: 'Upgrade' });
  });
  app.notFound((c) => c.text('Not Found', 404));
  app.onError((error, c) => {
    const shown = shownOf(error, context.logger, 'a request failed');
    context.refusals.request(shown, c.req.raw, c.env.connection);
    return problemResponse(shown);
  });
  return app;
}

const LOG_PATHS: readonly (readonly [string, (c: HttpRequest) => LogName])[] = [
  ['/logs/:log/events', (c) => parseLogName(c.req.param('log') ?? '')],
  ['/accounts/:account/events', (c) => accountLog(c.req.param('account') ?? '')],
];

async function read(context: HttpContext, c: HttpRequest, log: LogName): Promise<Response> {
  const identity = await identify(context.access, c);
  context.access.demand(identity, 'read', log);
  if (!prefersStream(c.req.header('accept'))) {
    const delivery = {
      large: context.large,
      hold: holdOf(context, c),
      broken: brokenOf(context, c),
    };
    return readPage(context.live, log, startOf(c), c.req.query('limit'), delivery);
  }
  const seen = lastEventId(c);
  const start = seen === undefined ? startOf(c) : { after: seen };
  // The last one is for nginx, which would otherwise keep events until it has a bufferful.
  const headers = {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    'X-Accel-Buffering': 'no',
  };
  // A HEAD request would never read the body, and so never end the subscription.
  if (c.req.method === 'HEAD') return new Response(null, { headers });
  const { address } = c.var.entry;
  const place = await context.connections.enter({ account: identity?.account, address });
  try {
    return new Response(
      new EventStream(context, log, start, { identity, place, cut: cutOf(c) }).body,
      { headers },
    );
  } catch (error) {
    place.leave();
    throw error;
  }
}

/** What holds a page counts until it is sent. */
function holdOf({ answers }: HttpContext, c: HttpRequest): (bytes: number) => void {
  const { answer } = c.env.connection;
  return (bytes) => answer && answers.hold(answer, bytes);
}

/** What an answer that cannot be brought to its end comes to. */
function brokenOf({ logger }: HttpContext, c: HttpRequest): (error: unknown) => void {
  const cut = cutOf(c);
  return (error) => {
    shownOf(error, logger, 'a page could not be sent whole');
    if (cut === undefined) throw error;
    cut();
  };
}

/** To hand on an error instead has a runtime write it to the console, with its stack. */
function cutOf(c: HttpRequest): (() => void) | undefined {
  const { answer } = c.env.connection;
  return answer && (() => answer.cut());
}

function startOf(c: HttpRequest): Start {
  const { after, since, last } = c.req.query();
  return parseStart({ after, since, last });
}

/** What a browser sends when it connects again; it goes before the query, which stays what it was. */
function lastEventId(c: HttpRequest): EventId | undefined {
  const text = c.req.header('last-event-id');
  return text === undefined || text === '' ? undefined : parseEventId(text, 'Last-Event-ID');
}

async function append(context: HttpContext, c: HttpRequest, log: LogName): Promise<Response> {
  const identity = await identify(context.access, c);
  const spender = spenderOf({ account: identity?.account, address: c.var.entry.address });
  const appended = await context.appending.appendUnread({ identity, spender }, log, (append) =>
    context.bodies.withText(c.req.raw, (text) =>
      append(readAppend(text, (name) => c.req.header(name))),
    ),
  );
  return new Response(writeAppended(appended), {
    status: appended.duplicate ? 200 : 201,
    headers: { 'Content-Type': 'application/json', ETag: `"${appended.version}"` },
  });
}

function addTickets({ access, appendRate }: HttpContext, app: HttpApp): void {
  const { tickets } = access;
  if (tickets === undefined) return;
  app.post('/tickets', async (c) => {
    const identity = await identify(access, c);
    const spender = spenderOf({ account: identity?.account, address: c.var.entry.address });
    const ticket = await appendRate.spend(spender, () => tickets.issue(identity!));
    const headers = { 'Cache-Control': 'no-store' };
    return Response.json(ticket, { status: 201, headers });
  });
  onlyMethods(app, '/tickets', 'POST');
}
