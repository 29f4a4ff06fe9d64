/** What the contract of records asks of a store, beside the contract itself. */
import type { Records } from '../../../records/records.ts';
import type { LossyConnection, StoreKind, StoreUnderTest, Suite } from '../suite.ts';

export interface RecordsUnderTest extends StoreUnderTest<RecordsCapabilities> {
  /** Opens the data; again after a close, and several at the same time if it is `shared`. */
  open(): Promise<Records>;
  /** Lets this much time go by: sets a clock on, or waits. */
  pass(milliseconds: number): Promise<void>;
}

export interface RecordsCapabilities {
  /** The data outlives the object that keeps it. */
  readonly lasting: true;
  /** Several can be open on the same data. */
  readonly shared: true;
  /** Puts something that is no string under the key. */
  readonly occupy: (key: string) => Promise<void>;
  /** How many records are kept, with those whose time is over and that were not yet removed. */
  readonly kept: (records: Records) => number;
  readonly lossy: LossyConnection<Records>;
}

export type RecordsKind = StoreKind<RecordsUnderTest, RecordsCapabilities>;

/** What a test works with. */
export interface RecordsContext {
  /** Opens the store; closed after the test. */
  open(): Promise<Records>;
  pass(milliseconds: number): Promise<void>;
  /** A key that nothing else uses. */
  newKey(): string;
}

export type RecordsSuite = Suite<RecordsContext, RecordsCapabilities>;
