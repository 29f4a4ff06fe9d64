/** A process that fills a store with events, or computes a read model from them. */

import { answerQuestions } from '../child.ts';
import { emmettBatches, emmettConsumer } from '../emmett/emmett-rebuild.ts';
import { millraceFeed, millraceProject } from './millrace-rebuild.ts';
import type { OpenRebuildWay, Rebuilt } from './rebuild-way.ts';

const REBUILD_WAYS = {
  'millrace project': millraceProject,
  'millrace feed, no read model': millraceFeed,
  'emmett consumer': emmettConsumer,
  'emmett readMessagesBatch, no read model': emmettBatches,
} satisfies Record<string, OpenRebuildWay>;

export type RebuildWayName = keyof typeof REBUILD_WAYS;

export interface FillQuestion {
  readonly fill: true;
  readonly way: RebuildWayName;
  readonly target: string;
  readonly events: number;
  readonly logs: number;
  /** It ends after so many seconds with fewer. */
  readonly seconds: number;
}

export interface RebuildQuestion {
  readonly fill: false;
  readonly way: RebuildWayName;
  readonly target: string;
  readonly events: number;
  readonly attempt: number;
}

/** How many events it wrote. */
export interface Filled {
  readonly events: number;
}

answerQuestions(async (question: FillQuestion | RebuildQuestion): Promise<Filled | Rebuilt> => {
  const way = await REBUILD_WAYS[question.way](question.target);
  try {
    if (!question.fill) return await way.rebuild(question.events, question.attempt);
    const until = performance.now() + question.seconds * 1000;
    return { events: await way.fill(question.events, question.logs, until) };
  } finally {
    await way.close();
  }
});
