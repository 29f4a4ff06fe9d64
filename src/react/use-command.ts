import { useCallback, useMemo, useState } from 'react';
import { type ClientCommandOptions, type HandledByClient, handle } from '../client/views/handle.ts';
import type { Decider } from '../decider/decider.ts';
import { useClientIfAny } from './provider.ts';

/** Resolves when the log has it. Who does not wait for it finds its error in {@link CommandStatus}. */
export type RunCommand<State, Command, Payloads extends object> = (
  command: Command,
  options?: ClientCommandOptions<State>,
) => Promise<HandledByClient<State, Payloads>>;

export interface CommandStatus {
  /** Whether a command that this component has run is not in its log yet. */
  readonly isPending: boolean;
  /** Why the last one that failed has, until the next is run. */
  readonly error: unknown;
  /** Forgets the error. */
  readonly reset: () => void;
}

export type Command<State, Command, Payloads extends object> = readonly [
  run: RunCommand<State, Command, Payloads>,
  status: CommandStatus,
];

/** Commands of a decider; what they lead to is in its views at once. */
export function useCommand<State, Of, Payloads extends object>(
  decider: Decider<State, Of, Payloads>,
): Command<State, Of, Payloads> {
  const client = useClientIfAny();
  const [underWay, setUnderWay] = useState(0);
  const [error, setError] = useState<unknown>();
  const run = useCallback<RunCommand<State, Of, Payloads>>(
    (command, options) => {
      if (client === undefined)
        throw new Error('a command needs a client: there is none on a server');
      setUnderWay((count) => count + 1);
      setError(undefined);
      const handled = handle(client, decider, command, options);
      handled
        .catch((thrown: unknown) => setError(() => thrown))
        .finally(() => setUnderWay((count) => count - 1));
      return handled;
    },
    [client, decider],
  );
  const reset = useCallback(() => setError(undefined), []);
  return useMemo(
    () => [run, { isPending: underWay > 0, error, reset }],
    [run, underWay, error, reset],
  );
}
