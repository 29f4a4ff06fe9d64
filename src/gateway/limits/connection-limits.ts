/**
 * How many sockets and event streams may be open: of one account, from one client address, and in
 * all. The first two are counted over all gateways that share a store, the last is of one process.
 */
import { networkOf } from '../identity/client-address.ts';
import { type CountedPlaces, LocalPlaces, UNCOUNTED } from './counted-places.ts';
import { LimitReached } from './limit-reached.ts';
import type { LimitRecords } from './limit-records.ts';
import type { GatewayLimits } from './limits.ts';
import { Presence } from './presence.ts';
import { SharedPlaces } from './shared-places.ts';

/** One connection's place. */
export interface Place {
  /** The connection is gone, or never came to be. Twice does no harm. */
  leave(): void;
}

/** Whose connection it is. What is undefined is not counted. */
export interface Visitor {
  readonly account: string | undefined;
  readonly address: string | undefined;
}

type Rules = Pick<
  GatewayLimits,
  'maxConnections' | 'maxSocketsPerAccount' | 'maxSocketsPerAddress'
>;

/** When a place may have become free, as far as one can guess, in milliseconds. */
const TRY_AGAIN = 5_000;

export class ConnectionLimits {
  readonly #rules: Rules;
  readonly #accounts: CountedPlaces;
  readonly #addresses: CountedPlaces;
  readonly #presence: Presence | undefined;
  #open = 0;

  /** @param shared where gateways that share a store count together */
  constructor(rules: Rules, shared?: LimitRecords) {
    this.#rules = rules;
    const presence = shared === undefined ? undefined : new Presence(shared);
    this.#presence = presence;
    const places = (most: number): CountedPlaces => {
      if (most === 0) return UNCOUNTED;
      if (shared === undefined || presence === undefined) return new LocalPlaces(most);
      return new SharedPlaces(shared, presence, most);
    };
    this.#accounts = places(rules.maxSocketsPerAccount);
    this.#addresses = places(rules.maxSocketsPerAddress);
  }

  /**
   * Takes a place for one more connection.
   * @throws LimitReached `too_many_connections`
   */
  async enter(visitor: Visitor): Promise<Place> {
    const account = visitor.account === undefined ? undefined : `account:${visitor.account}`;
    const address = visitor.address === undefined ? undefined : networkOf(visitor.address);
    const { maxConnections, maxSocketsPerAccount, maxSocketsPerAddress } = this.#rules;
    if (maxConnections > 0 && this.#open >= maxConnections) {
      throw tooMany(`this gateway holds ${maxConnections} connections, which is all it may`);
    }
    this.#open += 1;
    const taken: (() => void)[] = [
      () => {
        this.#open -= 1;
      },
    ];
    const take = async (places: CountedPlaces, holder: string | undefined): Promise<boolean> => {
      if (holder === undefined) return true;
      const took = places.take(holder);
      if (!(took === true || (await took))) return false;
      taken.push(() => places.giveBack(holder));
      return true;
    };
    if (!(await take(this.#addresses, address))) {
      leaveAll(taken);
      throw tooMany(
        `${address} may have ${maxSocketsPerAddress} sockets and event streams open; behind a proxy, --trust-proxy tells clients apart`,
      );
    }
    if (!(await take(this.#accounts, account))) {
      leaveAll(taken);
      throw tooMany(`${account} may have ${maxSocketsPerAccount} sockets and event streams open`);
    }
    return { leave: () => leaveAll(taken) };
  }

  close(): void {
    this.#presence?.stop();
  }
}

/** Whose appends they are: those of the account, or where nobody knows it, of the client address. */
export function spenderOf({ account, address }: Visitor): string {
  return account === undefined ? networkOf(address ?? 'unknown') : `account:${account}`;
}

function leaveAll(taken: (() => void)[]): void {
  for (const giveBack of taken.splice(0)) giveBack();
}

function tooMany(message: string): LimitReached {
  return new LimitReached('too_many_connections', message, TRY_AGAIN);
}
