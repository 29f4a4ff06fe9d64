import { useMemo } from 'react';
import type { Latest } from '../client/client-api.ts';
import type { Readable } from '../client/readable.ts';
import type { AnyPayloads, DefinedEvents, UnknownPolicy } from '../typed/event-types.ts';
import { useClientFor } from './use-own-log.ts';
import { useReadable } from './use-readable.ts';

export interface UseLogOptions<Events> {
  /** What `defineEvents` answers, made once. */
  readonly events?: Events | undefined;
  /** How many events. Default 100. */
  readonly last?: number | undefined;
}

const ON_SERVER: Latest<never> = { events: [], pending: [], isCurrent: false };

/**
 * The last events of a log, kept up to date, and one's own that are on their way.
 * @param name as `category:id`; left out, the account's own
 */
export function useLog(name?: string, options?: UseLogOptions<undefined>): Latest<AnyPayloads>;
export function useLog<
  Payloads extends object,
  Inputs extends { readonly [Type in keyof Payloads]: unknown },
  Policy extends UnknownPolicy,
>(
  name: string | undefined,
  options: UseLogOptions<DefinedEvents<Payloads, Inputs, Policy>>,
): Latest<Payloads>;
export function useLog(name?: string, { events, last }: UseLogOptions<unknown> = {}): unknown {
  const { client } = useClientFor(name);
  const latest = useMemo((): Readable<unknown> | undefined => {
    const typed = events as DefinedEvents<AnyPayloads, AnyPayloads, UnknownPolicy> | undefined;
    const log = typed === undefined ? client?.log(name) : client?.log(name, typed);
    return log?.latest(last);
  }, [client, name, events, last]);
  return useReadable(latest, ON_SERVER);
}
