/**
 * What the log says of requests that were not let in. A page that is refused sees `1006` or "CORS
 * error" and nothing else, so here is where the reason is told: each at `debug`, and at `info` how
 * many there were, so that nobody can fill the log by knocking.
 *
 *   refused ──► debug: code, reason, path, address
 *          └──► counted ──a second later, then at most every minute──► info: how many of which code
 */
import type { MillraceError } from '../event/error.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { errorCode } from '../protocol/error-codes.ts';
import { approachOf, type Connection } from './identity/connection.ts';
import type { TrustProxy } from './identity/forwarded.ts';
import type { RequestHead } from './identity/identity.ts';
import type { Logger } from './logger.ts';

/** Soon enough for somebody who watches the log while trying, in milliseconds. */
const FIRST_DELAY = 1_000;
const INTERVAL = 60_000;

/** That somebody may not come in, or not yet: what is wrong with a request itself, its sender is told. */
const STATUSES: readonly number[] = [401, 403, 429];

/** As much of a path as is worth reading. */
const MAX_PATH = 200;

export class Refusals {
  readonly #logger: Logger;
  readonly #trustProxy: TrustProxy;
  readonly #metrics: Metrics;
  readonly #after: (milliseconds: number, call: () => void) => () => void;
  readonly #counts = new Map<string, number>();
  #cancel: (() => void) | undefined;

  /** @param after calls back later, and answers how to have it not do so; for tests */
  constructor(logger: Logger, trustProxy: TrustProxy, metrics: Metrics, after = later) {
    this.#logger = logger;
    this.#trustProxy = trustProxy;
    this.#metrics = metrics;
    this.#after = after;
  }

  /** An upgrade that did not happen, for whatever reason: whoever asked for it is not shown the answer. */
  upgrade(error: MillraceError, request: RequestHead, connection: Connection): void {
    this.#note(error, request, connection, 'refused an upgrade');
  }

  /** A request that was answered with an error. */
  request(error: MillraceError, request: RequestHead, connection: Connection): void {
    if (!STATUSES.includes(errorCode(error.code).status)) return;
    this.#note(error, request, connection, 'refused a request');
  }

  /** Tells what was counted and not told yet. */
  close(): void {
    this.#cancel?.();
    this.#tell();
    this.#cancel?.();
  }

  #note(
    { code, message: reason }: MillraceError,
    request: RequestHead,
    connection: Connection,
    message: string,
  ): void {
    const { address } = approachOf(request, connection, this.#trustProxy);
    const path = pathOf(request.url).slice(0, MAX_PATH);
    const origin = request.headers.get('origin') ?? undefined;
    this.#logger.debug({ code, reason, path, origin, address }, message);
    this.#metrics.count('refusals', 1, code);
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    this.#cancel ??= this.#after(FIRST_DELAY, () => this.#tell());
  }

  #tell(): void {
    this.#cancel = undefined;
    if (this.#counts.size === 0) return;
    const refused = Object.fromEntries(this.#counts);
    this.#counts.clear();
    this.#logger.info(
      { refused },
      'refused requests; at log level debug each is told with its reason',
    );
    this.#cancel = this.#after(INTERVAL, () => this.#tell());
  }
}

/** Without the query: there may be a ticket in it, or a token that does not belong there. */
function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0]!;
}

function later(milliseconds: number, call: () => void): () => void {
  const timer = setTimeout(call, milliseconds);
  timer.unref?.();
  return () => clearTimeout(timer);
}
