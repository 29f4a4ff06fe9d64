/** The feed of a memory store: the readable reference of what a page of it is. */
import { isAfter, laterOf, predecessorOf } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import { type FeedPlace, markedPosition } from '../../../feed/cursor.ts';
import type { FeedPage, Stretch } from '../../../feed/feed.ts';
import { FeedFollowers } from '../../../feed/followers.ts';
import type { FeedRequest } from '../../../feed/options.ts';
import { FeedPageBuilder } from '../../../feed/page.ts';
import { type FeedFacts, placeInFeed } from '../../../feed/standing.ts';
import { StoredFeed } from '../../../feed/stored-feed.ts';
import { type LogContents, placeAfter } from '../log/contents.ts';

/** What the feed is read from. */
export interface FeedContents {
  /** The entry at position 1 first; each has one stretch, and none is ever removed. */
  readonly feed: readonly Stretch[];
  readonly logs: ReadonlyMap<LogName, LogContents>;
}

export class MemoryFeed extends StoredFeed {
  readonly followers = new FeedFollowers();
  readonly #look: () => FeedContents;

  /** @param look throws Closed when that is so */
  constructor(look: () => FeedContents) {
    super();
    this.#look = look;
  }

  async follow(wake: () => void): Promise<() => void> {
    this.#look();
    return this.followers.add(wake);
  }

  protected async facts(place: FeedPlace): Promise<FeedFacts> {
    return factsOf(this.#look().feed, place);
  }

  protected async read(request: FeedRequest): Promise<FeedPage> {
    const { feed, logs } = this.#look();
    const facts = factsOf(feed, request.after);
    const { standing, from } = placeInFeed(request.after, facts);
    const page = new FeedPageBuilder(request, standing, from);
    for (let position = from.position + 1; position <= feed.length && !page.isFull; position++) {
      const entry = feed[position - 1]!;
      const at = { position, index: 0, count: 1, mark: entry };
      if (!entry.log.startsWith(request.prefix)) {
        page.pass(at);
        continue;
      }
      const { events, trimmed } = logs.get(entry.log)!;
      const after = laterOf(
        page.place.within?.after ?? predecessorOf(entry.first),
        predecessorOf(entry.first),
      );
      const found = events.slice(placeAfter(events, after), placeAfter(events, entry.last));
      if (!page.add(entry, at, found, !isAfter(trimmed, after))) break;
    }
    return page.page(facts);
  }
}

function factsOf(feed: readonly Stretch[], place: FeedPlace): FeedFacts {
  const mark = feed[markedPosition(place) - 1];
  return { first: 1, next: place.position + 1, mark, end: feed.length, last: feed.at(-1) };
}
