/**
 * The gateway's doorkeeper: may this request come in at all, who sent it, and may they do that.
 * A gateway without `authenticate` is open: it asks nobody who they are, and lets them do
 * everything.
 */
import type { MillraceError } from '../../event/error.ts';
import type { NewEvent } from '../../event/event.ts';
import { ACCOUNT_ID_RULE, accountIdOf, type LogName } from '../../event/log-name.ts';
import { ANONYMOUS } from '../../event/senders.ts';
import { asError, comesLater } from '../../event/thrown.ts';
import { protocolError } from '../../protocol/problem.ts';
import type { Records } from '../../records/records.ts';
import { type Action, type AppendRule, everything, type May, ownLogs } from './authorization.ts';
import { type Approach, approachOf, type Connection } from './connection.ts';
import { refuseTokenInAddress } from './credentials.ts';
import type { TrustProxy } from './forwarded.ts';
import { forbiddenHost, type HostRule, hostRule } from './host.ts';
import { type Authenticate, type Identity, type RequestHead, Unauthenticated } from './identity.ts';
import { forbiddenOrigin, type OriginRule, type OriginStanding, originRule } from './origin.ts';
import { Tickets } from './tickets.ts';

export interface AccessOptions {
  /** Finds out who sent a request. Left out: the gateway is open, and everybody may do everything. */
  readonly authenticate?: Authenticate | undefined;
  /** Who may do what, where identities are known. Default: {@link ownLogs} with `append`. */
  readonly may?: May | undefined;
  /** To which logs every account may append. Default: its own; in an open gateway, any. */
  readonly append?: AppendRule | undefined;
  /**
   * Which events every account may append, as `category=type` (`room=Said`; `room=*`: all of
   * them). Default: all.
   */
  readonly appendTypes?: readonly string[] | undefined;
  /**
   * Web origins that may use the gateway, like `https://app.example.com`, beside its own and, when
   * it is open, those of loopback; `*` allows all, but then without cookies. Default: none.
   */
  readonly allowOrigins?: readonly string[] | undefined;
  /**
   * Host names that an open gateway answers to beside `localhost` and IP addresses; `*` allows
   * all. Default: none.
   */
  readonly allowHosts?: readonly string[] | undefined;
  /**
   * Whether a proxy in front writes `X-Forwarded-For`, `-Proto` and `-Host` (`true`), or
   * `Forwarded` (`'forwarded'`). Default: there is none.
   */
  readonly trustProxy?: TrustProxy | undefined;
  /** Where one-time tickets are kept. Without it there are none. */
  readonly records?: Records | undefined;
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** Whoever sends requests to an open gateway. */
const NOBODY: Identity = { account: ANONYMOUS };

/** A request that may come in, as far as its origin and host tell. */
export interface Entry extends Approach {
  /** Of the web page that sent it, if one did. */
  readonly page: { readonly origin: string; readonly standing: OriginStanding } | undefined;
}

export class Access {
  readonly clock: () => number;
  readonly tickets: Tickets | undefined;
  readonly #authenticate: Authenticate | undefined;
  readonly #may: May;
  readonly #origins: OriginRule;
  readonly #hosts: HostRule;
  readonly #trustProxy: TrustProxy;

  constructor(options: AccessOptions) {
    const { authenticate, append, appendTypes } = options;
    const { trustProxy = false, records, clock = Date.now } = options;
    this.clock = clock;
    this.#authenticate = authenticate;
    this.#may =
      authenticate === undefined
        ? everything(append, appendTypes)
        : (options.may ?? ownLogs(append ?? 'own', appendTypes));
    this.#origins = originRule(options.allowOrigins ?? [], { loopback: this.open });
    this.#hosts = hostRule(this.open ? (options.allowHosts ?? []) : ['*']);
    this.#trustProxy = trustProxy;
    this.tickets = this.open || records === undefined ? undefined : new Tickets(records);
  }

  /** Whether nobody is asked who they are. */
  get open(): boolean {
    return this.#authenticate === undefined;
  }

  /**
   * Looks at where a request comes from and where it wants to go.
   * @throws MillraceError `forbidden_host`
   */
  enter(request: RequestHead, connection: Connection): Entry {
    const approach = approachOf(request, connection, this.#trustProxy);
    const refused = approach.hosts.find((host) => !this.#hosts(host));
    if (refused !== undefined) throw forbiddenHost(refused);
    const origin = request.headers.get('origin');
    if (origin === null) return { ...approach, page: undefined };
    return { ...approach, page: { origin, standing: this.#origins(origin, approach.origin) } };
  }

  /** @throws MillraceError `forbidden_origin` when a page sent it that may not do more than read */
  refuseForeign({ page }: Entry): void {
    if (page?.standing === 'foreign') throw forbiddenOrigin(page.origin);
  }

  /**
   * Who sent it; undefined in an open gateway.
   * @throws Unauthenticated; InvalidInput when there is a token in the address
   */
  async identify(request: RequestHead, { page }: Entry): Promise<Identity | undefined> {
    const authenticate = this.#authenticate;
    if (authenticate === undefined) return undefined;
    refuseTokenInAddress(queryOf(request));
    // Any page can have a browser send its cookies: only of pages that are known do they count.
    const trusted = page === undefined || page.standing === 'named';
    return identityFrom(() => authenticate(trusted ? request : withoutCookies(request)));
  }

  /**
   * Whose token it is: asked as if it came with a request of its own.
   * @throws Unauthenticated, also in an open gateway
   */
  async identifyToken(token: string): Promise<Identity> {
    const headers = new Headers();
    try {
      headers.set('Authorization', `Bearer ${token}`);
    } catch {
      throw new Unauthenticated('that is no token');
    }
    const identity = await identityFrom(async () => this.#authenticate?.({ url: '/', headers }));
    if (this.isOver(identity)) throw expired();
    return identity;
  }

  /** The same for a socket, which may come with a ticket instead. */
  async identifySocket(request: RequestHead, entry: Entry): Promise<Identity | undefined> {
    const { tickets } = this;
    const ticket = queryOf(request).get('ticket');
    if (ticket === null || tickets === undefined) return this.identify(request, entry);
    refuseTokenInAddress(queryOf(request));
    const identity = await identityFrom(() => tickets.use(ticket));
    return this.isOver(identity) ? this.renew(identity) : identity;
  }

  /**
   * @param identity undefined in an open gateway
   * @param events to be appended; left out where they are not known yet
   * @throws MillraceError `forbidden`; Unauthenticated when its time is over
   */
  demand(
    identity: Identity | undefined,
    action: Action,
    log: LogName,
    events?: readonly NewEvent[],
  ): void {
    if (identity === undefined && !this.open) {
      throw new Unauthenticated('who you are is not known');
    }
    const who = identity ?? NOBODY;
    if (this.#allows(who, action, log, events)) return;
    // One of several may be to blame, if not the log itself.
    const wrong = this.#allows(who, action, log)
      ? events?.find((event) => !this.#allows(who, action, log, [event]))
      : undefined;
    throw forbidden(who, action, log, wrong);
  }

  /** @throws MillraceError `forbidden` when a socket is for an account that the identity may not be */
  demandAccount({ account, claims }: Identity, wanted: string): void {
    if (account === wanted || claims?.admin === true) return;
    throw protocolError('forbidden', `you are account ${account}, not ${wanted}: connect to /ws`);
  }

  isOver({ expiresAt = Number.POSITIVE_INFINITY }: Identity): boolean {
    return expiresAt <= this.clock();
  }

  /**
   * The identity anew, when its time is over.
   * @throws Unauthenticated when it holds no longer; something else when that cannot be told
   */
  async renew(identity: Identity): Promise<Identity> {
    const authenticate = this.#authenticate;
    if (authenticate?.renew === undefined) throw expired();
    const renewed = await identityFrom(async () => authenticate.renew?.(identity));
    if (renewed.account !== identity.account || this.isOver(renewed)) throw expired();
    return renewed;
  }

  /** @throws an error, whatever `may` throws */
  #allows(...asked: Parameters<May>): boolean {
    try {
      const answer: unknown = this.#may(...asked);
      // A promise is true, whatever it will come to.
      if (comesLater(answer)) throw new TypeError('may has to answer at once, not with a promise');
      return Boolean(answer);
    } catch (error) {
      throw asError(error);
    }
  }
}

/**
 * What an application's `authenticate` answers, or a ticket holds, is looked at before it is believed.
 * @throws Unauthenticated; an error, whatever it throws
 */
async function identityFrom(ask: () => Promise<Identity | undefined>): Promise<Identity> {
  try {
    const identity = await ask();
    const account = accountIdOf(identity?.account);
    if (identity === undefined || identity === null || account === undefined) {
      throw new Unauthenticated(`the account ${ACCOUNT_ID_RULE}`);
    }
    const { expiresAt = Number.POSITIVE_INFINITY } = identity;
    if (typeof expiresAt !== 'number' || Number.isNaN(expiresAt)) {
      throw new TypeError('expiresAt of an identity must be milliseconds since 1970');
    }
    return account === identity.account ? identity : { ...identity, account };
  } catch (error) {
    throw asError(error);
  }
}

function expired(): Unauthenticated {
  return new Unauthenticated(
    'what proved who you are has expired: get a new token or sign in again, and connect again',
    'Bearer realm="millrace", error="invalid_token"',
  );
}

function forbidden(
  identity: Identity,
  action: Action,
  log: LogName,
  wrong: NewEvent | undefined,
): MillraceError {
  const who = identity === NOBODY ? 'clients' : `account ${identity.account}`;
  const verb = { read: 'read', append: 'append to', manage: 'change' }[action];
  const what = wrong === undefined ? verb : `append events of the type ${wrong.type} to`;
  return protocolError('forbidden', `${who} may not ${what} ${log}`);
}

function queryOf({ url }: RequestHead): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start));
}

function withoutCookies({ url, headers }: RequestHead): RequestHead {
  return {
    url,
    headers: { get: (name) => (name.toLowerCase() === 'cookie' ? null : headers.get(name)) },
  };
}
