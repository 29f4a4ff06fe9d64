/** Who takes part in the commands suite, and with how much at the same time. */
import type { CommandWayName } from './command-ways.ts';

export interface Contestant {
  readonly way: CommandWayName;
  readonly store: 'embedded' | 'Redis' | 'Redis, flushed' | 'SQLite' | 'none';
  readonly inFlight: readonly number[];
  /** With how many logs; default: one, and 1,000. */
  readonly logs?: readonly number[];
  /** Reads the whole log for each command. */
  readonly readsLog: boolean;
  /** Breaks down, which takes long and comes out alike: once is enough, and its answers are waited for. */
  readonly breaksDown?: boolean;
}

const ALL = [1, 50, 500];

export const CONTESTANTS: readonly Contestant[] = [
  {
    way: 'disk: 4 KiB written and flushed',
    store: 'none',
    inFlight: [1],
    logs: [1],
    readsLog: false,
  },
  { way: 'millrace handle', store: 'embedded', inFlight: ALL, readsLog: true },
  { way: 'millrace commandHandler', store: 'embedded', inFlight: ALL, readsLog: false },
  { way: 'emmett, one store', store: 'SQLite', inFlight: [1], readsLog: true },
  {
    way: 'emmett, one store',
    store: 'SQLite',
    inFlight: [50],
    logs: [1_000],
    readsLog: true,
    breaksDown: true,
  },
  {
    way: 'emmett, a store for each caller',
    store: 'SQLite',
    inFlight: [50],
    logs: [1_000],
    readsLog: true,
    breaksDown: true,
  },
  { way: 'emmett, one store, callers queued', store: 'SQLite', inFlight: [50], readsLog: true },
  {
    way: 'emmett, one open connection, queued',
    store: 'SQLite',
    inFlight: [1, 50],
    readsLog: true,
  },
  { way: 'millrace handle', store: 'Redis', inFlight: ALL, readsLog: true },
  { way: 'millrace commandHandler', store: 'Redis', inFlight: ALL, readsLog: false },
  {
    way: 'millrace commandHandler',
    store: 'Redis, flushed',
    inFlight: ALL,
    logs: [1_000],
    readsLog: false,
  },
];

export function contestantName({ way, store }: Contestant): string {
  return store === 'none' || store === 'SQLite' ? way : `${way}, ${store}`;
}

export function isEmmett({ store }: Pick<Contestant, 'store'>): boolean {
  return store === 'SQLite';
}
