/** Which client the hooks below it use. */
import { createContext, createElement, type ReactNode, useContext } from 'react';
import type { Client } from '../client/client-api.ts';

/** `null`: there is no provider. */
const Context = createContext<Client | undefined | null>(null);

/**
 * @param props.client undefined where there is none, as on a server: views then show what was handed over,
 * and logs are empty
 */
export function MillraceProvider({
  client,
  children,
}: {
  readonly client: Client | undefined;
  readonly children?: ReactNode;
}): ReactNode {
  return createElement(Context.Provider, { value: client }, children);
}

/** @throws Error where there is none */
export function useClient(): Client {
  const client = useClientIfAny();
  if (client !== undefined) return client;
  throw new Error('MillraceProvider has no client here; on a server, render without useClient');
}

/** Undefined on a server. */
export function useClientIfAny(): Client | undefined {
  const client = useContext(Context);
  if (client !== null) return client;
  throw new Error('the hooks of millrace/react need a <MillraceProvider client={…}> above them');
}
