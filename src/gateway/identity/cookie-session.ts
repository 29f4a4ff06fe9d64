/**
 * Sessions that another program keeps: a cookie holds the ID of a record, and the record says whose
 * session it is. A session that is removed ends its connections when they are next looked at.
 */
import { InvalidInput } from '../../event/error.ts';
import { accountIdOf } from '../../event/log-name.ts';
import { WrongType } from '../../event/store-errors.ts';
import type { Records } from '../../records/records.ts';
import { cookieOf } from './credentials.ts';
import { type Authenticate, type Identity, Unauthenticated } from './identity.ts';

export interface CookieSessionOptions {
  readonly records: Pick<Records, 'get'>;
  /** The name of the cookie. Default `session`. */
  readonly cookie?: string | undefined;
  /** The key of a session's record, with `{id}` for what the cookie holds. Default `session:{id}`. */
  readonly key?: string | undefined;
  /**
   * Where in the record the account is: left out, the record is the account ID; with a name like
   * `account` or `user.id`, the record is a JSON object that has it there, or a hash in Redis with
   * a field of that name.
   */
  readonly field?: string | undefined;
  /** How often a connection's session is looked at again, in milliseconds. Default 30,000. */
  readonly recheck?: number | undefined;
  /** The time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** What stands for the session's ID in a key. */
export const SESSION_ID = '{id}';

// Nothing that could end up in another key than the one that is meant.
const ID = /^[\x21-\x7e]{1,256}$/;

/** @throws InvalidInput when the key is none */
export function cookieSession(options: CookieSessionOptions): Authenticate {
  const { records, cookie = 'session', key = `session:${SESSION_ID}`, field } = options;
  const { recheck = 30_000, clock = Date.now } = options;
  const [before, after, ...more] = key.split(SESSION_ID) as [string, ...string[]];
  if (before === '' || after === undefined || more.length > 0) {
    throw new InvalidInput('key', `must be like session:${SESSION_ID}, with ${SESSION_ID} once`);
  }

  async function find(id: string): Promise<Identity> {
    const record = ID.test(id) ? await read(`${before}${id}${after}`) : null;
    const account = record === null ? undefined : accountIn(record, field);
    if (account === undefined) {
      throw unauthenticated('the session is not known, or has ended: sign in again');
    }
    return { account, expiresAt: clock() + recheck, session: id };
  }

  async function read(key: string): Promise<string | null> {
    try {
      return await records.get(key);
    } catch (error) {
      // A cookie can name whatever the key leaves open, like a log: that is no session.
      if (error instanceof WrongType) return null;
      throw error;
    }
  }

  const unauthenticated = (message: string) =>
    new Unauthenticated(message, `Cookie realm="millrace" cookie-name=${cookie}`);

  const authenticate = (request: Parameters<Authenticate>[0]): Promise<Identity> => {
    const id = cookieOf(request.headers.get('cookie'), cookie);
    if (id === undefined) throw unauthenticated(`the cookie ${cookie} is needed: sign in first`);
    return find(id);
  };
  return Object.assign(async (request: Parameters<Authenticate>[0]) => authenticate(request), {
    renew: ({ session = '' }: Identity) => find(session),
  });
}

function accountIn(record: string, field: string | undefined): string | undefined {
  return accountIdOf(field === undefined ? record : fieldOf(record, field));
}

function fieldOf(record: string, field: string): unknown {
  try {
    return valueAt(JSON.parse(record), field.split('.'));
  } catch {
    return undefined;
  }
}

/** `user.id` is the `id` of `user`; where there is none, it is a name: a hash in Redis has nothing but names. */
function valueAt(value: unknown, names: readonly string[]): unknown {
  if (names.length === 0) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (let count = 1; count <= names.length; count += 1) {
    const name = names.slice(0, count).join('.');
    if (!Object.hasOwn(value, name)) continue;
    const found = valueAt((value as Record<string, unknown>)[name], names.slice(count));
    if (found !== undefined) return found;
  }
  return undefined;
}
