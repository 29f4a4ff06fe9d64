/** One's own log, which is asked for without a name: it has one as soon as the account is known. */
import type { Client } from '../client/client-api.ts';
import { useClientIfAny } from './provider.ts';
import { useReadable } from './use-readable.ts';

/** The client, where it can open this log now; `unknown` is whose account is not known yet. */
export function useClientFor(name: unknown): {
  readonly client: Client | undefined;
  readonly unknown: Client | undefined;
} {
  const client = useClientIfAny();
  const account = useReadable(client?.account, undefined);
  const isKnown = name !== undefined || account !== undefined;
  return { client: isKnown ? client : undefined, unknown: isKnown ? undefined : client };
}

export function accountKnown({ account }: Client): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (account.get() === undefined) return;
      end();
      resolve();
    };
    const end = account.subscribe(look);
    look();
  });
}
