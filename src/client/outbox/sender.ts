/**
 * Sends what the outbox holds, where there is a connection to the gateway: in one tab. Each log has a
 * lane of its own. It can be stopped, or its tab die, between any two steps: what is kept tells the
 * next one how to go on.
 */
import type { LogName } from '../../event/log-name.ts';
import { textOf } from '../../event/thrown.ts';
import type { Entry } from './entry.ts';
import { Lane, type LaneContext } from './lane.ts';

export interface SenderOptions extends Pick<LaneContext, 'store' | 'outbox' | 'link'> {
  /** Whether other tabs may be sending from this store as well, as they cannot agree on one. Default false. */
  readonly isShared?: boolean | undefined;
  readonly random?: (() => number) | undefined;
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** @returns ends it, at once */
export function startSender(options: SenderOptions): () => void {
  const { outbox, link, isShared = false, random = Math.random, onTrouble = warn } = options;
  const context: LaneContext = { ...options, isShared, random, onTrouble };
  const lanes = new Map<LogName, Lane>();
  let isEnded = false;

  const laneOf = (log: LogName, unsure: readonly Entry[]): Lane => {
    const lane = lanes.get(log) ?? new Lane(log, context, unsure);
    lanes.set(log, lane);
    return lane;
  };
  const worker = {
    wake: (log?: LogName) => {
      if (log !== undefined) laneOf(log, []).wake();
      else for (const lane of lanes.values()) lane.wake();
    },
    hurry: () => {
      if (link.isReady.get()) for (const lane of lanes.values()) lane.hurry();
    },
  };
  let unsubscribe: (() => void) | undefined;

  void outbox.resync().then(() => {
    if (isEnded) return;
    // Whoever sent before may have sent any of these.
    for (const { log } of outbox.all()) laneOf(log, outbox.of(log)).wake();
    outbox.worker = worker;
    unsubscribe = link.isReady.subscribe(worker.hurry);
  });

  return () => {
    isEnded = true;
    unsubscribe?.();
    if (outbox.worker === worker) outbox.worker = undefined;
    for (const lane of lanes.values()) lane.close();
  };
}

function warn(error: unknown): void {
  console.warn(`millrace: the outbox is tried again: ${textOf(error)}`);
}
