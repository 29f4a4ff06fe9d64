/** Accounts over HTTP: registered, looked at, given another address, closed. */
import { InvalidInput } from '../../event/error.ts';
import type { JsonValue } from '../../event/event.ts';
import { accountLog } from '../../event/log-name.ts';
import { isObject, type JsonObject, refuseUnknown } from '../../protocol/json-members.ts';
import { protocolError } from '../../protocol/problem.ts';
import type { Access } from '../identity/access.ts';
import type { AppendRate } from '../limits/append-rate.ts';
import { spenderOf } from '../limits/connection-limits.ts';
import type { AccountKeeper, WhoMayRegister } from './account-keeper.ts';
import { type BodyReader, KEPT_PARSED } from './body.ts';
import { type HttpApp, type HttpRequest, identify, onlyMethods } from './http-app.ts';

export interface AccountRoutes {
  readonly accounts: AccountKeeper;
  readonly registration: WhoMayRegister;
  readonly access: Access;
  readonly bodies: BodyReader;
  /** For whatever writes. */
  readonly appendRate: AppendRate;
  /** For those who register without being asked who they are. */
  readonly registrationRate: AppendRate;
}

const ACCOUNT_PATH = '/accounts/:account';

export function addAccountRoutes(routes: AccountRoutes, app: HttpApp): void {
  const { accounts, access } = routes;
  app.post('/accounts', (c) => register(routes, c));
  onlyMethods(app, '/accounts', 'POST');
  app.get(ACCOUNT_PATH, async (c) => {
    const id = idOf(c);
    access.demand(await identify(access, c), 'read', accountLog(id));
    const account = await accounts.get(id);
    if (account === undefined) {
      throw protocolError('account_not_found', `there is no account ${id}`);
    }
    return answer(account);
  });
  app.patch(ACCOUNT_PATH, (c) =>
    manage(routes, c, (id) =>
      routes.bodies.withText(c.req.raw, async (text) => {
        const change = readObject(text);
        refuseUnknown(change, ['email'], '', 'invalid_input');
        return answer(await accounts.changeEmail(id, change.email as string));
      }),
    ),
  );
  app.delete(ACCOUNT_PATH, (c) =>
    manage(routes, c, async (id) => answer(await accounts.close(id))),
  );
  onlyMethods(app, ACCOUNT_PATH, 'GET', 'HEAD', 'PATCH', 'DELETE');
}

// The rates are charged before a body is read: to be refused costs as well.

async function register(routes: AccountRoutes, c: HttpRequest): Promise<Response> {
  if (routes.registration === 'open') {
    const address = spenderOf({ account: undefined, address: c.var.entry.address });
    return routes.registrationRate.spend(address, () => registerFor(address, routes, c));
  }
  const identity = await identify(routes.access, c);
  if (identity?.claims?.admin !== true) {
    throw protocolError('forbidden', 'only an admin may register accounts here');
  }
  return registerFor(spenderOf({ account: identity.account, address: undefined }), routes, c);
}

function registerFor(spender: string, routes: AccountRoutes, c: HttpRequest): Promise<Response> {
  const work = async (text: string): Promise<Response> => {
    const registration = readObject(text) as { email: string; [field: string]: JsonValue };
    const account = await routes.accounts.register(registration);
    return answer(account, { status: 201, headers: { Location: `/accounts/${account.id}` } });
  };
  return routes.appendRate.spend(spender, () =>
    routes.bodies.withText(c.req.raw, work, KEPT_PARSED),
  );
}

/** Does `work` with the account that the request names, if its sender may change it. */
async function manage(
  { access, appendRate }: AccountRoutes,
  c: HttpRequest,
  work: (id: string) => Promise<Response>,
): Promise<Response> {
  const id = idOf(c);
  const identity = await identify(access, c);
  access.demand(identity, 'manage', accountLog(id));
  const { address } = c.var.entry;
  return appendRate.spend(spenderOf({ account: identity?.account, address }), () => work(id));
}

function idOf(c: HttpRequest): string {
  const id = c.req.param('account') ?? '';
  accountLog(id);
  return id;
}

/** That `email` is an address is looked at by those who keep the accounts. */
function readObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw protocolError('invalid_json', 'the body must be JSON: an object with email');
  }
  if (!isObject(value)) throw new InvalidInput('the body', 'must be an object with email');
  return value;
}

function answer(account: object, { status = 200, headers = {} } = {}): Response {
  return Response.json(account, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}
