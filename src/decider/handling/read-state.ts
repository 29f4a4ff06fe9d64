/** The state that a decider computes of a log, for whoever only wants to look. */
import type { EventId } from '../../event/event-id.ts';
import { type LogName, parseLogName } from '../../event/log-name.ts';
import type { EventLog } from '../../log/log.ts';
import type { Decider } from '../decider.ts';
import { loadState } from './load-state.ts';
import { type SnapshotOptions, Snapshots } from './snapshots.ts';

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
