/** What the pages of a {@link FeedRun} go into: rows of a read model, or the world outside. */
import type { FeedCursor, FeedItem } from '../feed/feed.ts';
import type { CommitOutcome } from '../read-models/read-models.ts';

export interface FeedTarget {
  /** Where the last commit left it, whoever that was; `null` before the first. */
  peek(): Promise<FeedCursor | null>;

  /**
   * Before the first page under a lease: from now on nobody with an earlier token can commit.
   * @returns where to go on; `fenced` when somebody with a later token has committed
   */
  begin(token: number): Promise<{ readonly cursor: FeedCursor } | 'fenced'>;

  /**
   * Takes the events of the next page in, one after the other. Nothing of it is kept before {@link commit}.
   * @returns whether there is something to commit
   * @throws EventFailed
   */
  apply(items: Iterable<FeedItem>, signal: AbortSignal): Promise<boolean>;

  /**
   * Keeps what was applied since the last commit. What it is was decided when this returns; that
   * it is kept, when its promise resolves. Pages may be applied meanwhile.
   */
  commit(expected: FeedCursor, next: FeedCursor, token: number): Promise<CommitOutcome>;

  /** Forgets what was applied and not kept: the next page comes after the last commit again. */
  forget(): void;
}
