/** One shape for all that goes wrong: checked by the compiler, never run. */
import type {
  AccountsOptions,
  DeciderDefinition,
  Notice,
  OpenLogOptions,
  ProcessManagerOptions,
  ProjectionDefinition,
  ReactionDefinition,
  RedisLogOptions,
  SnapshotOptions,
  TypedLogOptions,
  WorkOptions,
} from '../../src/index.ts';
import { type Equal, expectType } from './expect-type.ts';

/** Whoever tells something tells it in the same way. */
type Tellers = {
  accounts: AccountsOptions;
  decider: DeciderDefinition<unknown, unknown, object>;
  processManager: ProcessManagerOptions;
  projection: ProjectionDefinition<unknown>;
  reaction: ReactionDefinition;
  redis: RedisLogOptions;
  snapshots: SnapshotOptions;
  store: OpenLogOptions;
  typedLog: TypedLogOptions;
  worker: WorkOptions;
};
type Told<Options> = Options extends { readonly onNotice?: infer OnNotice } ? OnNotice : 'nobody';
type OnNotice = ((notice: Notice) => void) | undefined;
expectType<
  Equal<{ [Who in keyof Tellers]: Told<Tellers[Who]> }, { [Who in keyof Tellers]: OnNotice }>
>();

/** Every member of every notice: an addition is to be thought about, as none may hold a payload. */
type KeysOf<Union> = Union extends unknown ? keyof Union : never;
expectType<
  Equal<
    KeysOf<Notice>,
    | ('what' | 'by' | 'log' | 'id' | 'type' | 'error' | 'attempt' | 'after')
    | ('reason' | 'letter' | 'state')
  >
>();

/** A switch over `what` knows them all. */
export function severity(notice: Notice): 'info' | 'warn' | 'error' {
  switch (notice.what) {
    case 'connection':
      return notice.state === 'restored' || notice.state === 'loading' ? 'info' : 'warn';
    case 'failed':
      return notice.after > 1_000 ? 'warn' : 'info';
    case 'passed_over':
    case 'left_out':
      return notice.error.code === 'unreadable_event' ? 'info' : 'warn';
    case 'skipped':
    case 'lease_lost':
    case 'snapshot':
    case 'store':
      return 'warn';
    case 'dead_letter':
    case 'ended':
      return 'error';
  }
}
