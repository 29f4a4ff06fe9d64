/** What the contract of read models asks of a store, beside the contract itself. */
import type { ReadModel } from '../../../read-models/read-models.ts';
import type { LossyConnection, StoreKind, StoreUnderTest, Suite } from '../suite.ts';

/** As the tests work with it: what closes it belongs to who opened it. */
export type OpenReadModel = ReadModel & { close(): Promise<void> };

export interface ReadModelUnderTest extends StoreUnderTest<ReadModelCapabilities> {
  /** Opens the data; again after a close, and several at the same time if it is `shared`. */
  open(): Promise<OpenReadModel>;
}

export interface ReadModelCapabilities {
  /** The data outlives the object that keeps it. */
  readonly lasting: true;
  /** Several can be open on the same data. */
  readonly shared: true;
  /** Calls after the end fail with `closed`, and what is under way comes to its end. */
  readonly closing: true;
  /** Refuses commits that are too large for one step. */
  readonly bounded: true;
  /** Puts something that is no table where the rows, or the checkpoint, of a table belong. */
  readonly occupy: (table: string, part: 'rows' | 'checkpoint') => Promise<void>;
  readonly lossy: LossyConnection<OpenReadModel>;
}

export type ReadModelKind = StoreKind<ReadModelUnderTest, ReadModelCapabilities>;

/** What a test works with. */
export interface ReadModelContext {
  /** Opens the store; closed after the test. */
  open(): Promise<OpenReadModel>;
  /** A table that nothing else uses. */
  newTable(): string;
}

export type ReadModelSuite = Suite<ReadModelContext, ReadModelCapabilities>;
