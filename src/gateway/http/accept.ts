/** What a client would rather have, by its `Accept` (RFC 9110 section 12.5.1). */
import { parseAccept } from 'hono/utils/accept';

/** How pages are named, the most specific name first. */
const PAGE = ['application/json', 'application/*', '*/*'];

/**
 * Whether it asks for an event stream rather than for a page: it names streams, and likes pages no
 * better. As a stream does not end, nobody gets one by a wildcard.
 */
export function prefersStream(header: string | undefined): boolean {
  const ranges = parseAccept(header ?? '');
  const quality = (name: string) => ranges.find(({ type }) => type.toLowerCase() === name)?.q;
  const stream = quality('text/event-stream') ?? 0;
  const page = PAGE.map(quality).find((q) => q !== undefined) ?? 0;
  return stream > 0 && stream >= page;
}
