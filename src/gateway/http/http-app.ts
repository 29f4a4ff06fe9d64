/** What the parts of the HTTP side have in common. */
import type { Context, Hono } from 'hono';
import { protocolError } from '../../protocol/problem.ts';
import type { Access, Entry } from '../identity/access.ts';
import type { Connection } from '../identity/connection.ts';
import type { Identity } from '../identity/identity.ts';
import { problemResponse } from './problem-response.ts';

/** What a request carries through the app. */
export interface HttpEnv {
  Bindings: { readonly connection: Connection };
  Variables: { entry: Entry };
}

export type HttpApp = Hono<HttpEnv>;
export type HttpRequest = Context<HttpEnv>;

/**
 * Who sent it; undefined in an open gateway.
 * @throws Unauthenticated
 */
export function identify(access: Access, c: HttpRequest): Promise<Identity | undefined> {
  return access.identify(c.req.raw, c.var.entry);
}

/** Answers all methods that no other handler of the path took. */
export function onlyMethods(app: HttpApp, path: string, ...methods: readonly string[]): void {
  app.all(path, () => {
    const allowed = methods.filter((method) => method !== 'HEAD').join(' and ');
    const error = protocolError('method_not_allowed', `the address takes ${allowed}`);
    return problemResponse(error, { Allow: methods.join(', ') });
  });
}
