import { useState } from 'react';
import type { ClientLog } from '../client/client-api.ts';
import { type AnyLog, view } from '../client/views/open-view.ts';
import type { View, ViewState } from '../client/views/view.ts';
import type { ViewOptions, ViewSources } from '../client/views/view-options.ts';
import type { Decider } from '../decider/decider.ts';
import { ZERO_ID } from '../event/event-id.ts';
import type { AnyPayloads, EventDefinitions } from '../typed/event-types.ts';
import { accountKnown, useClientFor } from './use-own-log.ts';
import { useReadable } from './use-readable.ts';

export interface UseViewOptions<State> extends ViewSources<State> {
  /**
   * Suspends until there is a state, and throws where there cannot be one. It needs a decider, or options with
   * a name: React forgets all else about a component that has never been shown.
   */
  readonly suspense?: boolean | undefined;
}

/**
 * The view of a log, followed while the component is there. Of options without a name, those of the first
 * render hold.
 * @param on a log, or its name as `category:id`; undefined: the account's own
 */
export function useView<State, Command, Payloads extends object>(
  on: string | undefined | AnyLog,
  decider: Decider<State, Command, Payloads>,
  options?: UseViewOptions<State>,
): ViewState<State>;
export function useView<State, Payloads extends object>(
  on: string | undefined | AnyLog,
  options: ViewOptions<State, Payloads> & { readonly events: EventDefinitions<Payloads> },
  more?: UseViewOptions<State>,
): ViewState<State>;
export function useView<State, Payloads extends object, Inputs extends object>(
  on: ClientLog<Payloads, Inputs>,
  options: ViewOptions<State, Payloads>,
  more?: UseViewOptions<State>,
): ViewState<State>;
export function useView<State>(
  on: string | undefined,
  options: ViewOptions<State, AnyPayloads>,
  more?: UseViewOptions<State>,
): ViewState<State>;
export function useView(
  on: string | undefined | AnyLog,
  maker: ViewMaker,
  options: UseViewOptions<unknown> = {},
): ViewState<unknown> {
  const { client, unknown } = useClientFor(on);
  const [first] = useState(maker);
  const [handed] = useState(() => handedOver(maker, options));
  const isNamed = maker.name !== undefined;
  const log = typeof on === 'object' ? on : client?.log(on);
  const seen = log && (view as unknown as OpenView)(log, isNamed ? maker : first, options);
  const state = useReadable(seen, handed);
  if (options.suspense !== true || state.isLoaded) return state;
  if (!isNamed) throw new Error('suspense needs a decider, or options with a name');
  if (unknown !== undefined) throw accountKnown(unknown);
  // A server renders what is shown meanwhile, and leaves the rest to the page.
  if (seen === undefined) throw new Error('no state was handed over for this view');
  throw state.failure ?? seen.loaded();
}

/** A decider, or options. */
type ViewMaker = ViewSources<unknown> & {
  readonly name?: string | undefined;
  readonly initial: unknown;
};

type OpenView = (log: AnyLog, maker: ViewMaker, sources: ViewSources<unknown>) => View<unknown>;

function handedOver(maker: ViewMaker, options: ViewSources<unknown>): ViewState<unknown> {
  const from = options.handedOver ?? maker.handedOver;
  const state = from === undefined ? maker.initial : from.state;
  return {
    ...{ state, confirmed: state, pending: [], refusals: [] },
    ...{ isLoaded: from !== undefined, isCurrent: false, cursor: ZERO_ID },
  };
}
