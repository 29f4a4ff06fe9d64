/** Handling a command: load, decide, append with the expected version, again when others were faster. */
import { InvalidInput } from '../../event/error.ts';
import { type LogName, parseLogName } from '../../event/log-name.ts';
import { comesLater } from '../../event/thrown.ts';
import type { EventLog } from '../../log/log.ts';
import { checkEventId } from '../../log/options.ts';
import type { Decider } from '../decider.ts';
import { type CommandOptions, type Handled, type RetryOptions, retrying } from './command.ts';
import { checkCommandId, identityOf } from './command-id.ts';
import { handleTogether } from './handle-together.ts';
import { type SnapshotOptions, Snapshots } from './snapshots.ts';

export interface HandleOptions extends CommandOptions, RetryOptions {
  /** Where snapshots of the state are kept. Left out: all events of the log are read each time. */
  readonly snapshots?: SnapshotOptions | undefined;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Handles one command: computes the state of its log, decides, and appends what was decided if
 * nobody else has appended since; otherwise decides again on what is new, with bounded back-off.
 * A command that decides nothing appends nothing. Needs no more of the log than `append` and `read`.
 *
 *     const { state, events } = await handle(store.log, account, { account: '1', amount: 5 });
 *
 * What `decide` throws comes to the caller as it is. Under a `commandId` the command counts once:
 * see {@link CommandOptions}; an append whose outcome is unknown is then repeated by itself.
 * @throws TooManyConflicts, CommandIdReused, StateLost, UnreadableEvent, InvalidInput, and what `append` and `read` throw
 */
export async function handle<State, Command, Payloads extends object>(
  eventLog: Pick<EventLog, 'append' | 'read'>,
  decider: Decider<State, Command, Payloads>,
  command: Command,
  options: HandleOptions = {},
): Promise<Handled<State, Payloads>> {
  const { snapshots, clock = Date.now } = options;
  const log = logOf(decider, command, options);
  const source = {
    eventLog,
    decider,
    snapshots: snapshots && new Snapshots<State>(snapshots, decider),
    retrying: retrying(options),
    clock,
  };
  const identity = identityOf(decider.name, command, options.commandId);
  return new Promise((resolve, reject) => {
    void handleTogether(source, log, [{ command, options, identity, resolve, reject }]);
  });
}

/**
 * The log that a command goes to.
 * @throws InvalidInput when its options or its log break a rule
 */
export function logOf<Command>(
  decider: Pick<Decider<never, Command, never>, 'name' | 'log'>,
  command: Command,
  { to, commandId, since, signal }: CommandOptions,
): LogName {
  signal?.throwIfAborted();
  if (commandId !== undefined) checkCommandId(commandId);
  if (typeof since === 'string') checkEventId(since, 'since');
  else if (since !== undefined && !Number.isFinite(since)) {
    throw new InvalidInput('since', 'must be an event ID or milliseconds since 1970');
  }
  if (to === undefined && decider.log === undefined) {
    throw new InvalidInput('to', `must name the log: decider ${decider.name} has no log function`);
  }
  const field = to === undefined ? `log of decider ${decider.name}` : 'to';
  const name: unknown = to ?? decider.log?.(command);
  if (comesLater(name)) throw new InvalidInput(field, 'must answer at once, not with a promise');
  return parseLogName(String(name), field);
}
