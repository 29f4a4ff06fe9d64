/**
 * What commands come to, decided one after the other on one state, before any of it is appended: as
 * events that a log takes.
 */
import { type EncodedEvent, encodeEvents, type NewEvent, storedEvent } from '../../event/event.ts';
import { type EventId, ZERO_ID } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { RecordedFrom } from '../../typed/event-types.ts';
import type { Decider } from '../decider.ts';
import { NO_LIMITS, newEventsOf } from '../new-events.ts';
import type { PendingCommand } from './command.ts';
import type { KnownState } from './snapshots.ts';

/** Half of what one append may hold by default, so that there is room for the last command. */
const ENOUGH_EVENTS = 500;
const ENOUGH_BYTES = 1_048_576;

/** One command, decided. */
export interface Decided<State, Command, Payloads extends object> {
  readonly pending: PendingCommand<State, Command, Payloads>;
  readonly newEvents: readonly NewEvent[];
  readonly encoded: readonly EncodedEvent[];
  /** Why it was refused; it then has no events. */
  readonly refusal: { readonly error: unknown } | undefined;
}

/**
 * Decides commands in their order, each on the state that those before it lead to, until there is
 * enough for one append. Commands beyond that are not in the answer.
 */
export function decideAll<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  log: LogName,
  known: KnownState<State>,
  commands: readonly PendingCommand<State, Command, Payloads>[],
): Decided<State, Command, Payloads>[] {
  const decided: Decided<State, Command, Payloads>[] = [];
  let state = known.state;
  let [events, bytes] = [0, 0];
  for (const pending of commands) {
    const one = decideOne(decider, state, pending);
    decided.push(one);
    events += one.encoded.length;
    for (const { size } of one.encoded) bytes += size;
    if (decided.length === commands.length || events >= ENOUGH_EVENTS || bytes >= ENOUGH_BYTES)
      break;
    const next = foresee(decider, log, state, one.encoded);
    if (next === undefined) break;
    state = next.state;
  }
  return decided;
}

/** The events of a command that were appended under these IDs, and the state with them. */
export function evolveByAppended<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  log: LogName,
  known: KnownState<State>,
  encoded: readonly EncodedEvent[],
  ids: readonly EventId[],
): { readonly known: KnownState<State>; readonly events: RecordedFrom<Payloads>[] } {
  let { state } = known;
  const events: RecordedFrom<Payloads>[] = [];
  encoded.forEach((event, index) => {
    // Read like any stored event, so that the state is the one that reading the log comes to.
    const recorded = decider.read(log, storedEvent(ids[index]!, event));
    if (recorded === undefined) return;
    events.push(recorded);
    state = decider.evolve(state, recorded);
  });
  const version = ids[ids.length - 1] ?? known.version;
  return {
    known: { state, version, sinceSnapshot: known.sinceSnapshot + ids.length },
    events,
  };
}

function decideOne<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  state: State,
  pending: PendingCommand<State, Command, Payloads>,
): Decided<State, Command, Payloads> {
  const { command, identity } = pending;
  const { meta } = pending.options;
  try {
    const newEvents = newEventsOf(decider, command, state, { meta, identity });
    const encoded = newEvents.length === 0 ? [] : encodeEvents(newEvents, NO_LIMITS);
    return { pending, newEvents, encoded, refusal: undefined };
  } catch (error) {
    return { pending, newEvents: [], encoded: [], refusal: { error } };
  }
}

/**
 * The state after events that are not appended yet. `undefined` when `evolve` looks at their ID or
 * time, which nobody knows before: what comes next can then only be decided after the append.
 */
function foresee<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  log: LogName,
  state: State,
  encoded: readonly EncodedEvent[],
): { readonly state: State } | undefined {
  let isUnforeseeable = false;
  let next = state;
  for (const event of encoded) {
    const recorded = decider.read(log, storedEvent(ZERO_ID, event));
    if (recorded === undefined) continue;
    const { type, payload, meta } = recorded;
    const foreseen = {
      ...{ type, payload, meta, log },
      get id() {
        isUnforeseeable = true;
        return ZERO_ID;
      },
      get at() {
        isUnforeseeable = true;
        return 0;
      },
    };
    try {
      next = decider.evolve(next, foreseen as RecordedFrom<Payloads>);
    } catch {
      return undefined;
    }
    if (isUnforeseeable) return undefined;
  }
  return { state: next };
}
