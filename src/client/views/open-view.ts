/** From what an application asks for to the view that it gets: one for all that ask for the same. */
import type { Decider } from '../../decider/decider.ts';
import type { LogName } from '../../event/log-name.ts';
import type { EventDefinitions } from '../../typed/event-types.ts';
import type { Client, ClientLog } from '../client-api.ts';
import { type ClientContext, contextOf, definitionsOf } from '../client-context.ts';
import { type Fold, foldOf, versionOf } from './fold.ts';
import { FollowedView } from './followed-view.ts';
import type { View } from './view.ts';
import type { AnyViewOptions, ViewOptions, ViewSources } from './view-options.ts';

/** A log, whatever its events are. */
export type AnyLog = Pick<ClientLog<object>, 'name'>;

/**
 * A view of a log: its fold, with one's own pending events on top. It is the same view for all that
 * give the same decider, the same options, or options of the same name and version. It follows the
 * log while somebody is subscribed or waits for `loaded`.
 *
 *     const tasks = view(client.log('list:7'), { name: 'tasks', initial: [], evolve });
 *     tasks.subscribe(() => render(tasks.get().state));
 *
 * @throws InvalidInput
 */
export function view<State, Command, Payloads extends object>(
  log: AnyLog,
  decider: Decider<State, Command, Payloads>,
  sources?: ViewSources<State>,
): View<State>;
export function view<State, Payloads extends object>(
  log: AnyLog,
  options: ViewOptions<State, Payloads> & { readonly events: EventDefinitions<Payloads> },
): View<State>;
export function view<State, Payloads extends object, Inputs extends object>(
  log: ClientLog<Payloads, Inputs>,
  options: ViewOptions<State, Payloads>,
): View<State>;
export function view(
  log: AnyLog,
  maker: Fold<unknown> | AnyViewOptions<unknown>,
  sources?: ViewSources<unknown>,
): View<unknown> {
  const context = contextOf(log, 'log');
  if ('decide' in maker) return viewOf(context, log.name, maker as Fold<unknown>, sources);
  const options = maker as AnyViewOptions<unknown>;
  const events = options.events ?? definitionsOf(log);
  const { name } = options;
  const key = name === undefined ? options : named(context, name, versionOf(options, events));
  return sharedView(context, log.name, key, () => foldOf(options, events), {
    ...options,
    ...sources,
  });
}

/** The view of a decider, whose fold it is. */
export function viewOf<State>(
  context: ClientContext,
  log: LogName,
  decider: Fold<State>,
  sources?: ViewSources<State>,
): FollowedView<State> {
  return sharedView(context, log, decider, () => decider, sources);
}

interface Shared {
  /** By what they are made of, and the log. Those that are not used are forgotten. */
  readonly views: WeakMap<object, Map<LogName, FollowedView<never>>>;
  /** What stands for options that have a name. */
  readonly names: Map<string, object>;
}

const shared = new WeakMap<Client, Shared>();

function sharedBy({ client }: ClientContext): Shared {
  const known = shared.get(client) ?? { views: new WeakMap(), names: new Map() };
  shared.set(client, known);
  return known;
}

function named(context: ClientContext, name: string, version: string): object {
  const { names } = sharedBy(context);
  const text = `${name} ${version}`;
  const key = names.get(text) ?? {};
  names.set(text, key);
  return key;
}

function sharedView<State>(
  context: ClientContext,
  log: LogName,
  key: object,
  fold: () => Fold<State>,
  sources: ViewSources<State> = {},
): FollowedView<State> {
  const { views } = sharedBy(context);
  const ofKey = views.get(key) ?? new Map<LogName, FollowedView<never>>();
  views.set(key, ofKey);
  let found = ofKey.get(log) as FollowedView<State> | undefined;
  if (found === undefined) {
    const made: FollowedView<State> = new FollowedView(context, log, fold(), (isUsed) => {
      if (isUsed && !ofKey.has(log)) ofKey.set(log, made as FollowedView<never>);
      if (!isUsed && ofKey.get(log) === (made as FollowedView<never>)) ofKey.delete(log);
    });
    found = made;
    ofKey.set(log, made as FollowedView<never>);
  }
  found.provide(sources);
  return found;
}
