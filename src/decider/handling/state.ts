/**
 * What a decider knows about a log: its state, and up to which event; for handling commands, and for
 * whoever only wants to look.
 *
 *   initial, or a snapshot ──read page, evolve, read page, …──► state at the version of the log
 */
import { type EventId, ZERO_ID } from '../../event/event-id.ts';
import { type LogName, parseLogName } from '../../event/log-name.ts';
import type { EventLog, Page } from '../../log/log.ts';
import type { Decider } from '../decider.ts';
import { StateLost } from '../errors.ts';
import { initialState, type KnownState, type SnapshotOptions, Snapshots } from './snapshots.ts';

const PAGE_LIMIT = 1_000;
const PAGE_BYTES = 1_048_576;
/** How often a log may be trimmed under our hands before that is taken for its state being lost. */
const MAX_RESTARTS = 5;

/** Where the states of one decider come from. */
export interface StateSource<State, Command, Payloads extends object> {
  readonly eventLog: Pick<EventLog, 'read'>;
  readonly decider: Decider<State, Command, Payloads>;
  readonly snapshots: Snapshots<State> | undefined;
}

/**
 * The state at the version that the log has now.
 * @param from what is known already: only what is new is read, if the log still goes on from there
 * @throws StateLost, UnreadableEvent, and what reading throws
 */
export async function loadState<State, Command, Payloads extends object>(
  source: StateSource<State, Command, Payloads>,
  log: LogName,
  from?: KnownState<State>,
): Promise<KnownState<State>> {
  const { eventLog, decider, snapshots } = source;
  const start = async () => (await snapshots?.read(log)) ?? initialState(decider);
  let known = from ?? (await start());
  let isStart = from === undefined;
  let refused: EventId | undefined;
  for (let restarts = 0; ; ) {
    const page = await eventLog.read(log, {
      after: known.version,
      limit: PAGE_LIMIT,
      maxBytes: PAGE_BYTES,
    });
    if (page.standing.state === 'whole') {
      known = evolveByPage(decider, log, known, page);
      isStart = false;
      if (!page.more) break;
    } else if (isStart && known.version !== ZERO_ID) {
      // The snapshot knows nothing that the log would go on from.
      refused = known.version;
      known = initialState(decider);
    } else {
      // Where nothing was known, a snapshot may have been written just before the trim.
      restarts += 1;
      const isLost = known.version === ZERO_ID && (snapshots === undefined || restarts > 1);
      if (isLost || restarts > MAX_RESTARTS) {
        throw new StateLost(
          log,
          trimmedThrough(page),
          `the state of decider ${decider.name} cannot be computed from what is left, and ${
            snapshots
              ? 'there is no snapshot of its version that the log goes on from'
              : 'no snapshots were given; trim only what a snapshot covers'
          }`,
        );
      }
      known = await start();
      isStart = true;
    }
  }
  return (await snapshots?.saveIfDue(log, known, refused)) ?? known;
}

function evolveByPage<State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  log: LogName,
  known: KnownState<State>,
  { events, more, version }: Page,
): KnownState<State> {
  let { state } = known;
  for (const stored of events) {
    const event = decider.read(log, stored);
    if (event !== undefined) state = decider.evolve(state, event);
  }
  return {
    state,
    version: more ? events[events.length - 1]!.id : version,
    sinceSnapshot: known.sinceSnapshot + events.length,
  };
}

function trimmedThrough({ standing, version }: Page): EventId {
  return standing.state === 'trimmed' ? standing.resumeAfter : version;
}

/** A state, and the version of the log that it belongs to. */
export interface StateAt<State> {
  readonly state: State;
  /** Good as `expected` of an append, which then only succeeds on this state. `0-0` for a log without events. */
  readonly version: EventId;
}

/**
 * The state of a log as it is now, without a command. It reads all events of the log, or with
 * `snapshots`, which it also writes, what came after the last one.
 *
 *     const { state } = await readState(store.log, account, 'account:ada');
 *
 * @throws StateLost, UnreadableEvent, InvalidInput, and what `read` throws
 */
export async function readState<State, Command, Payloads extends object>(
  eventLog: Pick<EventLog, 'read'>,
  decider: Decider<State, Command, Payloads>,
  log: LogName | string,
  options: { readonly snapshots?: SnapshotOptions | undefined } = {},
): Promise<StateAt<State>> {
  const snapshots = options.snapshots && new Snapshots<State>(options.snapshots, decider);
  const source = { eventLog, decider, snapshots };
  const { state, version } = await loadState(source, parseLogName(log));
  return { state, version };
}
