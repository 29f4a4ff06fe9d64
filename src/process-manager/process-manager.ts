/**
 * Process managers: reacting to events by sending commands, each exactly once in effect. A worker
 * hands the events over (at least once), and each command has an ID that derives from its event, so
 * that sending it again is a repeat (Hohpe and Woolf, "Process Manager"; the naming as in Axon,
 * Commanded and Emmett).
 */

import type { Decider } from '../decider/decider.ts';
import type { CommandOptions, Handled } from '../decider/handling/command.ts';
import { type HandleOptions, handle } from '../decider/handling/handle.ts';
import { InvalidInput } from '../event/error.ts';
import type { EventLog } from '../log/log.ts';
import { caused } from '../typed/caused.ts';
import type { AnyPayloads, RecordedFrom } from '../typed/event-types.ts';
import type { WorkContext } from '../worker/context.ts';
import { type Worker, type WorkOptions, type WorkStore, work } from '../worker/work.ts';

/** What can be said of a command that is sent; the rest derives from the event. */
export type SendOptions = Pick<HandleOptions, 'to' | 'meta' | 'retries' | 'snapshots'>;

/**
 * Handles a command in the name of the event at hand: once in effect, however often the event is
 * handed over. Its events carry the event's correlation, and the event as their causation.
 *
 * Commands are numbered in the order in which they are sent for one event. So whatever decides which
 * are sent, and in which order, has to come from the event, or from what those before answered:
 * not from the clock or from chance, and not from what is read elsewhere and can change.
 *
 * What the decider throws to refuse the command comes to the caller, who can answer it by another
 * command. A refused command leaves no trace, and keeps its number.
 */
export type Send = <State, Command, Payloads extends object>(
  decider: Decider<State, Command, Payloads>,
  command: Command,
  options?: SendOptions,
) => Promise<Handled<State, Payloads>>;

/** By event type: what is to be done. What it returns is waited for. */
export type Reactions<Payloads extends object> = {
  readonly [Type in keyof Payloads & string]?: (
    event: Extract<RecordedFrom<Payloads>, { readonly type: Type }>,
    send: Send,
    context: WorkContext,
  ) => unknown;
};

export interface ProcessManagerOptions<Payloads extends object = AnyPayloads>
  extends Omit<WorkOptions<Payloads>, 'group' | 'handler'> {
  /** The group of its worker, and part of its commands' IDs; another name sends everything again. */
  readonly name: string;
  readonly on: Reactions<NoInfer<Payloads>>;
}

/**
 * Starts a process manager; more of the same name may run in this process and in others.
 *
 *     const transfers = await processManager(store, {
 *       name: 'transfers',
 *       events: bank,
 *       on: {
 *         TransferRequested: async (event, send) => {
 *           await send(account, { type: 'Deposit', account: event.payload.to, amount: event.payload.amount });
 *         },
 *       },
 *     });
 *
 * Events of other types are passed over. An event whose reaction keeps failing becomes a dead
 * letter, as with any worker. Commands whose events set off commands again may never come to an
 * end: that is for the application to avoid.
 * @throws InvalidInput, Unavailable, Closed
 */
export async function processManager<Payloads extends object = AnyPayloads>(
  store: WorkStore,
  options: ProcessManagerOptions<Payloads>,
): Promise<Worker> {
  const { name, on, ...rest } = options;
  const reactions = new Map(Object.entries<unknown>(on ?? {}));
  for (const [type, reaction] of reactions) {
    if (typeof reaction === 'function') continue;
    throw new InvalidInput(`on.${type}`, 'must be a function');
  }
  if (reactions.size === 0) throw new InvalidInput('on', 'must name at least one event type');
  return work<Payloads>(store, {
    ...rest,
    group: name,
    handler: (event, context) => {
      const reaction = reactions.get(event.type) as
        | ((event: RecordedFrom<Payloads>, send: Send, context: WorkContext) => unknown)
        | undefined;
      return reaction?.(event, sender(store.log, name, event, context.signal), context);
    },
  });
}

function sender(
  log: Pick<EventLog, 'append' | 'read'>,
  name: string,
  event: Pick<RecordedFrom<AnyPayloads>, 'log' | 'id' | 'meta'>,
  signal: AbortSignal,
): Send {
  let sent = 0;
  return (decider, command, { meta, ...options } = {}) => {
    sent += 1;
    const identity: CommandOptions = {
      commandId: `${name}/${event.log}/${event.id}/${sent}`,
      since: event.id,
      meta: { ...meta, ...caused(event) },
      signal,
    };
    return handle(log, decider, command, { ...options, ...identity });
  };
}
