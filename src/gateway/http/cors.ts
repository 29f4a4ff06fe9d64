/** What a browser is told about pages of other origins (the Fetch standard's CORS protocol). */
import type { Entry } from '../identity/access.ts';

/** The page that a request came from. */
type Page = NonNullable<Entry['page']>;

const METHODS = 'GET, POST, PATCH, DELETE, OPTIONS';
const REQUEST_HEADERS =
  'Authorization, Content-Type, If-Match, Last-Event-ID, Producer-Id, Producer-Epoch, Producer-Seq';
const RESPONSE_HEADERS = 'ETag, Location, Retry-After, WWW-Authenticate';

/** The answer to a preflight, of a page that may use the gateway. */
export function preflight(page: Page): Response {
  const headers = new Headers({
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': REQUEST_HEADERS,
    'Access-Control-Max-Age': '600',
  });
  letRead(headers, page);
  return new Response(null, { status: 204, headers });
}

/** Without these headers, the browser keeps an answer from the page. */
export function letRead(headers: Headers, { origin, standing }: Page): void {
  headers.append('Vary', 'Origin');
  if (standing === 'foreign') return;
  headers.set('Access-Control-Allow-Origin', origin);
  headers.set('Access-Control-Expose-Headers', RESPONSE_HEADERS);
  // With cookies only for pages that are known by name.
  if (standing === 'named') headers.set('Access-Control-Allow-Credentials', 'true');
}
