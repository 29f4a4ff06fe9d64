/** A read model between a projection and its store, that fails or waits as a test wants it. */
import type {
  CommitOutcome,
  ReadModel,
  ReadModelCommit,
} from '../../../src/read-models/read-models.ts';

export class FaultyReadModel implements ReadModel {
  /** Called before each commit; what it throws is what the commit fails with. */
  beforeCommit: (commit: ReadModelCommit) => Promise<void> | void = () => {};
  /** Called after each commit that happened. */
  afterCommit: (commit: ReadModelCommit) => Promise<void> | void = () => {};
  readonly outcomes: CommitOutcome[] = [];
  gets = 0;
  readonly #store: ReadModel;

  constructor(store: ReadModel) {
    this.#store = store;
  }

  checkpoint(table: string) {
    return this.#store.checkpoint(table);
  }

  get(table: string, keys: readonly string[]) {
    this.gets += keys.length;
    return this.#store.get(table, keys);
  }

  async commit(table: string, commit: ReadModelCommit): Promise<CommitOutcome> {
    await this.beforeCommit(commit);
    const outcome = await this.#store.commit(table, commit);
    this.outcomes.push(outcome);
    await this.afterCommit(commit);
    return outcome;
  }

  rows(table: string) {
    return this.#store.rows(table);
  }

  drop(table: string) {
    return this.#store.drop(table);
  }
}
