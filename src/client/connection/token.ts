/** The token: who we are. Nobody here checks it; that is the gateway's business. */
import { bytesOf } from '../../event/base64.ts';
import { Refused } from '../errors.ts';
import { Unreached } from './unreached.ts';

/** A token is asked for anew when it has so little left, in milliseconds. */
const LEAD = 15_000;
/** So long a token is used in any case: the clock of the device may be wrong. */
const USED = 30_000;

interface Claims {
  readonly sub?: unknown;
  /** In seconds since 1970. */
  readonly exp?: unknown;
  readonly admin?: unknown;
}

export class Tokens {
  readonly #ask: (() => Promise<string> | string) | undefined;
  readonly #account: () => string | undefined;
  readonly #told: (account: string) => void;
  #token: Promise<string> | undefined;
  #goodUntil = 0;
  /** What the last token says about whose it is. */
  account: string | undefined;

  /**
   * @param account whose token it must be, where that is known
   * @param told whose it is, by its own word
   */
  constructor(
    ask: (() => Promise<string> | string) | undefined,
    account: () => string | undefined,
    told: (account: string) => void = () => {},
  ) {
    this.#ask = ask;
    this.#account = account;
    this.#told = told;
  }

  get areGiven(): boolean {
    return this.#ask !== undefined;
  }

  /** The one that there is, as long as it is good; undefined where none is given. @throws Refused */
  current(): Promise<string | undefined> {
    return this.#token !== undefined && Date.now() < this.#goodUntil ? this.#token : this.fresh();
  }

  /** One that is asked for now. @throws Refused */
  async fresh(): Promise<string | undefined> {
    if (this.#ask === undefined) return undefined;
    // Whoever comes meanwhile waits for the same one.
    this.#goodUntil = Number.POSITIVE_INFINITY;
    const asked = this.#asked(this.#ask);
    this.#token = asked;
    // Nothing is kept of a failure.
    asked.catch(() => this.drop());
    return asked;
  }

  /** It is of no use any more. */
  drop(): void {
    this.#token = undefined;
  }

  async #asked(ask: () => Promise<string> | string): Promise<string> {
    let token: string;
    try {
      token = await ask();
    } catch (error) {
      throw new Unreached(`no token was given: ${(error as Error | undefined)?.message}`);
    }
    const { sub, exp, admin } = claimsOf(token);
    const account = sub === undefined ? undefined : String(sub);
    const wanted = this.#account();
    if (account !== undefined && wanted !== undefined && account !== wanted && admin !== true) {
      const message = `the token is of account ${account}, not ${wanted}: connect as that one, or give its token`;
      throw new Refused({ code: 'forbidden', message });
    }
    this.account = account;
    if (account !== undefined) this.#told(account);
    const now = Date.now();
    this.#goodUntil =
      typeof exp === 'number' ? Math.max(exp * 1_000 - LEAD, now + USED) : now + USED;
    return token;
  }
}

/** The claims of a JSON Web Token, unchecked; of anything else none. */
function claimsOf(token: string): Claims {
  try {
    const text = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(new TextDecoder().decode(bytesOf(text))) as Claims;
  } catch {
    return {};
  }
}
