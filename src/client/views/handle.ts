/**
 * Commands on a client: decided at once on what the view shows, so that it is shown at once; and again
 * on the events of the log right before they are sent, and whenever others were faster.
 *
 *   decide(command, shown) ──► pending ──first of its log──► decide(command, confirmed) ──► append at its version
 *        │ throws                              ▲                  │ throws            │
 *        └► rejected, nothing happens          └──── conflict ────┼───────────────────┤
 *                                                                 └► refused          └► in the log
 *
 * `decide` runs here, on a device that its owner controls. A gateway checks who may append which
 * types at which version, and nothing of the rules: `handle` on the server is what enforces them.
 */
import type { Decider } from '../../decider/decider.ts';
import { NO_LIMITS, newEventsOf } from '../../decider/new-events.ts';
import { encodeEvents, type Meta, type NewEvent, storedEvent } from '../../event/event.ts';
import { type EventId, isAfter } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import { codeOf, isA, textOf } from '../../event/thrown.ts';
import type { Failure } from '../../protocol/problem.ts';
import type { RecordedFrom } from '../../typed/event-types.ts';
import type { Client, Sending } from '../client-api.ts';
import { type ClientContext, contextOf } from '../client-context.ts';
import { Refused } from '../errors.ts';
import type { Redecision } from '../outbox/appends.ts';
import type { Entry } from '../outbox/entry.ts';
import type { Readable } from '../readable.ts';
import type { Fold } from './fold.ts';
import { type AnyLog, viewOf } from './open-view.ts';
import type { ViewState } from './view.ts';
import type { ViewSources } from './view-options.ts';

export interface ClientCommandOptions<State> extends ViewSources<State> {
  /** Goes to all events of the command, below what each has itself. */
  readonly meta?: Meta | undefined;
  /** The log as `category:id`, instead of what the decider's `log` answers. With a log of a client: that one. */
  readonly to?: LogName | string | undefined;
}

/** What a command came to, once it is in the log. */
export interface HandledByClient<State, Payloads extends object> {
  /** A state that has the events of the command, and of others by then; nothing that is pending. */
  readonly state: State;
  /** The events of the command as they are in the log. */
  readonly events: readonly RecordedFrom<Payloads>[];
  /** The place in the log that `state` is of. */
  readonly version: EventId;
}

/**
 * Handles a command: decides it on what the view of its log shows, shows what that leads to at once, and
 * resolves when the log has it, however long that takes. Waits for the first state of the view.
 *
 *     await handle(client, account, { do: 'withdraw', account: 'ada', amount: 30 });
 *
 * What `decide` throws comes to the caller as it is, whether it refuses the command now or later; what
 * was shown is then taken away.
 * @throws Refused (`state_lost` where events that the state needs are gone), InvalidInput, OutboxFull
 */
export async function handle<State, Command, Payloads extends object>(
  on: Client | AnyLog,
  decider: Decider<State, Command, Payloads>,
  command: Command,
  options: ClientCommandOptions<State> = {},
): Promise<HandledByClient<State, Payloads>> {
  const context = contextOf(on, 'client');
  const { appends, client } = context;
  const log = 'name' in on ? on.name : client.log(options.to ?? decider.log?.(command)).name;
  decideAgain(context, decider);
  const view = viewOf(context, log, decider as unknown as Fold<State>, options);
  const letGo = view.subscribe(() => {});
  try {
    const { events, sending } = await inTurn(view, async () => {
      const { state, cursor, lost } = await view.loaded();
      const events = decideOn(log, decider, command, { state, lost }, options.meta);
      if (events.length === 0) return { events };
      const made = { decider: decider.name, command, meta: options.meta };
      const what = { log, events, expected: cursor, after: cursor, command: made };
      return { events, sending: appends.append(what) };
    });
    if (sending === undefined) return { ...confirmedOf(view.get()), events: [] };
    const { ids, events: final } = await settled(context, log, sending, events);
    const last = ids[ids.length - 1];
    const at = await when(
      view,
      ({ cursor, failure }) =>
        last === undefined || !isAfter(last, cursor) || failure !== undefined,
    );
    return { ...confirmedOf(at), events: recordedOf(log, decider, final, ids) };
  } finally {
    letGo();
  }
}

/**
 * Says which deciders the commands are of that were made before the page was loaded again: they can
 * be decided again then, also before the first new command. @returns the client
 *
 *     const client = withDeciders(connect(url, { persist: indexedDb() }), [account]);
 */
export function withDeciders<Some extends Client>(
  client: Some,
  deciders: readonly Pick<Decider<unknown, unknown>, 'name' | 'version' | 'initial'>[],
): Some {
  const context = contextOf(client, 'client');
  for (const decider of deciders) decideAgain(context, decider as Decider<unknown, unknown>);
  return client;
}

/** Commands of this tab that somebody waits for, by the keys of their entries: what `decide` has thrown. */
const waiting = new Map<string, { error?: unknown }>();

interface Registered {
  readonly decider: object;
  readonly end: () => void;
}

const registered = new WeakMap<Client, Map<string, Registered>>();

function decideAgain<State, Command, Payloads extends object>(
  context: ClientContext,
  decider: Decider<State, Command, Payloads>,
): void {
  const { client, appends } = context;
  const known = registered.get(client) ?? new Map<string, Registered>();
  registered.set(client, known);
  const before = known.get(decider.name);
  if (before?.decider === decider) return;
  before?.end();
  const end = appends.redecide(decider.name, (entry, actual) =>
    redecide(context, decider, entry, actual),
  );
  known.set(decider.name, { decider, end });
}

/** @throws Refused where the log cannot be followed now */
async function redecide<State, Command, Payloads extends object>(
  context: ClientContext,
  decider: Decider<State, Command, Payloads>,
  { key, log, command }: Entry,
  actual: EventId | undefined,
): Promise<Redecision> {
  const view = viewOf(context, log, decider as unknown as Fold<State>);
  // The end of the log: nothing of what it is known to have is still on its way here.
  const { confirmed, cursor, lost, failure } = await when(
    view,
    (now) =>
      now.failure !== undefined ||
      (now.isCurrent &&
        (actual === undefined || !isAfter(actual, now.cursor)) &&
        (now.pending[0]?.key ?? key) === key),
  );
  if (failure !== undefined) throw failure;
  try {
    const { command: made, meta } = command!;
    const at = { state: confirmed, lost };
    return { events: decideOn(log, decider, made as Command, at, meta), expected: cursor };
  } catch (error) {
    const waits = waiting.get(key);
    if (waits !== undefined) waits.error = error;
    return { refused: failureOf(error) };
  }
}

function decideOn<State, Command, Payloads extends object>(
  log: LogName,
  decider: Decider<State, Command, Payloads>,
  command: Command,
  { state, lost }: Pick<ViewState<State>, 'state' | 'lost'>,
  meta: Meta | undefined,
): NewEvent[] {
  if (lost !== 'trimmed') return newEventsOf(decider, command, state, { meta });
  throw new Refused({
    code: 'state_lost',
    message: `${log} was trimmed: the state of decider ${decider.name} cannot be computed from what is left; give a snapshot`,
  });
}

function failureOf(error: unknown): Failure {
  if (isA(error, Refused)) return error.failure;
  const code = codeOf(error);
  return { code: typeof code === 'string' ? code : 'command_refused', message: textOf(error) };
}

/** By view: the last command that is on its way into the outbox. */
const turns = new WeakMap<object, Promise<unknown>>();

/** A command is decided on what those before it have led to. */
async function inTurn<Decided extends { readonly sending?: Sending }>(
  view: object,
  decide: () => Promise<Decided>,
): Promise<Decided> {
  const before = turns.get(view);
  const turn = before === undefined ? decide() : before.then(decide);
  turns.set(
    view,
    turn.then(({ sending }) => sending?.kept).catch(() => {}),
  );
  return turn;
}

/** What was appended in the end, and where it is. */
async function settled(
  { appends }: ClientContext,
  log: LogName,
  sending: Sending,
  decided: readonly NewEvent[],
): Promise<{ readonly ids: readonly EventId[]; readonly events: readonly NewEvent[] }> {
  let events = decided;
  const look = (entry: Entry) => {
    if (entry.key === sending.key) events = entry.events;
  };
  const end = appends.watch(log, { added: look, changed: look, finished: look });
  const waits: { error?: unknown } = {};
  waiting.set(sending.key, waits);
  try {
    const { ids } = await sending;
    return { ids, events };
  } catch (error) {
    throw 'error' in waits ? waits.error : error;
  } finally {
    end();
    waiting.delete(sending.key);
  }
}

function recordedOf<State, Command, Payloads extends object>(
  log: LogName,
  decider: Decider<State, Command, Payloads>,
  events: readonly NewEvent[],
  ids: readonly EventId[],
): RecordedFrom<Payloads>[] {
  if (ids.length !== events.length || ids.length === 0) return [];
  return encodeEvents(events, NO_LIMITS).flatMap(
    (event, index) => decider.read(log, storedEvent(ids[index]!, event)) ?? [],
  );
}

function confirmedOf<State>({ confirmed, cursor }: ViewState<State>): {
  readonly state: State;
  readonly version: EventId;
} {
  return { state: confirmed, version: cursor };
}

/** The first value that fits; the readable is subscribed to until then. */
function when<Value>(readable: Readable<Value>, fits: (value: Value) => boolean): Promise<Value> {
  return new Promise((resolve) => {
    const look = () => {
      const value = readable.get();
      if (!fits(value)) return;
      end();
      resolve(value);
    };
    const end = readable.subscribe(look);
    look();
  });
}
