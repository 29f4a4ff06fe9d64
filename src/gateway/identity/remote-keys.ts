/**
 * The public keys of an issuer, fetched from where it publishes them (a JWK set, RFC 7517), and
 * kept: while they cannot be fetched, those that are known go on counting.
 *
 *   age of the keys   0 ─────── 5 min ────────────── 10 min ─────────────────────────►
 *   a token is        checked   checked, and keys    checked after they were fetched; where the
 *                               fetched meanwhile    last try failed, checked, and tried meanwhile
 *
 * There is one fetch at a time, and a pause after each, whatever came of it and whatever it was
 * for: anybody can send tokens with keys that nobody knows.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { protocolError } from '../../protocol/problem.ts';
import { type Logger, SILENT } from '../logger.ts';

export interface RemoteKeysOptions {
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
  /** How long a fetch may take in all, in milliseconds. Default 5,000. */
  readonly timeout?: number | undefined;
  /** Told when keys cannot be fetched, and when they can again. Default: silent. */
  readonly logger?: Logger | undefined;
}

const MINUTE = 60_000;
/** From this age on, keys are fetched anew while those that are known are used. */
const FRESH = 5 * MINUTE;
/** From this age on they are not used before it was tried: for so long a withdrawn key counts. */
const OLD = 10 * MINUTE;
const PAUSE = 30_000;
/** While there are no keys at all, nobody can come in. */
const PAUSE_WITHOUT_KEYS = 1_000;
const TIMEOUT = 5_000;
/** Key sets have some 10 KiB. */
const MAX_BYTES = 262_144;

export class RemoteKeys {
  readonly #url: URL;
  readonly #clock: () => number;
  readonly #timeout: number;
  readonly #logger: Logger;
  #keys: JWTVerifyGetKey | undefined;
  #fetchedAt = 0;
  /** When the last fetch ended, and whether it failed. */
  #triedAt: number | undefined;
  #failing = false;
  #fetching: Promise<void> | undefined;

  constructor(url: URL, options: RemoteKeysOptions = {}) {
    const { clock = Date.now, timeout = TIMEOUT, logger = SILENT } = options;
    this.#url = url;
    this.#clock = clock;
    this.#timeout = timeout;
    this.#logger = logger;
  }

  /**
   * The key of a token.
   * @throws MillraceError `keys_unavailable`; else what `jose` throws
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const age = this.#keys === undefined ? OLD : this.#since(this.#fetchedAt);
    if (age >= FRESH) {
      const fetched = this.#fetch();
      // In an outage nobody waits for the next try: the keys that are known are as good after it.
      if (age >= OLD && (this.#keys === undefined || !this.#failing)) await fetched;
    }
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    // It may be one that is newer than ours.
    await this.#fetch();
    return this.#known(header, token);
  };

  async #known(header: Parameters<JWTVerifyGetKey>[0], token: Parameters<JWTVerifyGetKey>[1]) {
    if (this.#keys === undefined) throw unavailable();
    try {
      return await this.#keys(header, token);
    } catch (error) {
      // Whether the issuer has such a key, nobody can tell right now.
      if (error instanceof errors.JWKSNoMatchingKey && this.#failing) throw unavailable();
      throw error;
    }
  }

  /** Fetches the keys, unless it was tried a moment ago. Never rejects. */
  async #fetch(): Promise<void> {
    const pause = this.#keys === undefined ? PAUSE_WITHOUT_KEYS : PAUSE;
    const resting = this.#triedAt !== undefined && this.#since(this.#triedAt) < pause;
    if (this.#fetching === undefined && resting) return;
    this.#fetching ??= this.#fetchNow();
    await this.#fetching;
  }

  async #fetchNow(): Promise<void> {
    const startedAt = this.#clock();
    try {
      this.#keys = createLocalJWKSet(await readKeySet(this.#url, this.#timeout));
      this.#fetchedAt = startedAt;
      if (this.#failing) this.#logger.info(this.#place, 'the keys of tokens can be fetched again');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        const message = 'the keys of tokens cannot be fetched; those that are known go on counting';
        this.#logger.warn({ ...this.#place, reason: reasonOf(error) }, message);
      }
      this.#failing = true;
    }
    this.#triedAt = this.#clock();
    this.#fetching = undefined;
  }

  /** How long ago that was; a clock that was set back makes it long. */
  #since(time: number): number {
    const elapsed = this.#clock() - time;
    return elapsed < 0 ? Number.POSITIVE_INFINITY : elapsed;
  }

  get #place(): { readonly keys: string } {
    return { keys: `${this.#url.origin}${this.#url.pathname}` };
  }
}

/** Within `timeout` from the first to the last byte. */
async function readKeySet(url: URL, timeout: number): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeout),
    // Elsewhere is not where the operator said that the keys are.
    redirect: 'manual',
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the answer has status ${response.status}`);
  }
  return JSON.parse(await readText(response.body));
}

async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  // Leaving the loop cancels the body, and closes the connection.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function unavailable() {
  return protocolError('keys_unavailable', 'the keys of the issuer cannot be had right now');
}

/** `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
