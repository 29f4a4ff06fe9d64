/** The HTTP side of the gateway: pages of a log, appends to it, and its live event stream. */
import { type Context, Hono } from 'hono';
import { type EventId, parseEventId } from '../event/event-id.ts';
import { accountLog, type LogName, parseLogName } from '../event/log-name.ts';
import type { EventLog } from '../log/log.ts';
import { presentable, protocolError } from '../protocol/problem.ts';
import { parseStart, type StartPoint } from '../protocol/start.ts';
import { readAppend } from './append-request.ts';
import type { BodyReader } from './body.ts';
import type { Logger } from './logger.ts';
import { forbiddenOrigin, type OriginRule } from './origin.ts';
import { readPage } from './page.ts';
import { problemResponse } from './problem-response.ts';
import { EventStream, type EventStreamContext } from './sse.ts';

/** What the HTTP side needs. */
export interface HttpContext extends EventStreamContext {
  readonly log: EventLog;
  readonly bodies: BodyReader;
  readonly allowed: OriginRule;
  readonly logger: Logger;
}

const EVENT_STREAM = 'text/event-stream';
const CORS_METHODS = 'GET, POST, OPTIONS';
const CORS_HEADERS =
  'Content-Type, If-Match, Last-Event-ID, Producer-Id, Producer-Epoch, Producer-Seq';

/** The routes, as a Hono app. */
export function createApp(context: HttpContext): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    const origin = c.req.header('origin');
    if (origin === undefined) return next();
    const allowed = context.allowed(origin);
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
    // Reading is left to the browser: without our header it keeps the answer from the page.
    if (!allowed && !reads) throw forbiddenOrigin(origin);
    if (c.req.method === 'OPTIONS') return preflight(origin);
    await next();
    if (allowed) c.res.headers.set('Access-Control-Allow-Origin', origin);
    c.res.headers.set('Access-Control-Expose-Headers', 'ETag, Retry-After');
    c.res.headers.append('Vary', 'Origin');
  });
  app.get('/', (c) => c.text('Healthy'));
  for (const [path, logOf] of LOG_PATHS) {
    app.get(path, (c) =>
      wantsStream(c) ? stream(context, c, logOf(c)) : page(context, c, logOf(c)),
    );
    app.post(path, (c) => append(context, c, logOf(c)));
    app.all(path, () => {
      const error = protocolError('method_not_allowed', 'the address takes GET and POST');
      return problemResponse(error, { Allow: 'GET, HEAD, POST' });
    });
  }
  app.all('/ws/:account', () => {
    const error = protocolError('upgrade_required', 'connect here with a WebSocket client');
    return problemResponse(error, { Upgrade: 'websocket', Connection: 'Upgrade' });
  });
  app.notFound((c) => c.text('Not Found', 404));
  app.onError((error) => {
    const shown = presentable(error);
    if (shown !== error) context.logger.error({ err: error }, 'a request failed');
    return problemResponse(shown);
  });
  return app;
}

const LOG_PATHS: readonly (readonly [string, (c: Context) => LogName])[] = [
  ['/logs/:log/events', (c) => parseLogName(c.req.param('log') ?? '')],
  ['/accounts/:account/events', (c) => accountLog(c.req.param('account') ?? '')],
];

function wantsStream(c: Context): boolean {
  return c.req.header('accept')?.includes(EVENT_STREAM) === true;
}

function startOf(c: Context): StartPoint {
  return parseStart(c.req.query('after'), c.req.query('since'));
}

function page(context: HttpContext, c: Context, log: LogName): Promise<Response> {
  return readPage(context.log, log, startOf(c), c.req.query('limit'));
}

function stream(context: HttpContext, c: Context, log: LogName): Response {
  const seen = lastEventId(c);
  const start = seen === undefined ? startOf(c) : { after: seen };
  const headers = { 'Content-Type': EVENT_STREAM, 'Cache-Control': 'no-cache' };
  // A HEAD request would never read the body, and so never end the subscription.
  if (c.req.method === 'HEAD') return new Response(null, { headers });
  return new Response(new EventStream(context, log, start).body, { headers });
}

/** What a browser sends when it connects again; it goes before the query, which stays what it was. */
function lastEventId(c: Context): EventId | undefined {
  const text = c.req.header('last-event-id');
  return text === undefined || text === '' ? undefined : parseEventId(text, 'Last-Event-ID');
}

async function append(context: HttpContext, c: Context, log: LogName): Promise<Response> {
  return context.bodies.withText(c.req.raw, async (text) => {
    const { events, options } = readAppend(text, (name) => c.req.header(name));
    const { ids, version, duplicate } = await context.log.append(log, events, options);
    const headers = { ETag: `"${version}"` };
    return Response.json({ ids, version, duplicate }, { status: duplicate ? 200 : 201, headers });
  });
}

function preflight(origin: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Methods': CORS_METHODS,
      'Access-Control-Allow-Headers': CORS_HEADERS,
      'Access-Control-Max-Age': '600',
      Vary: 'Origin',
    },
  });
}
