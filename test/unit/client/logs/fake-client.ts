/** What a log of a client stands on, over a model of a log, with an outbox that is told what to say. */
import type { Client } from '../../../../src/client/client-api.ts';
import type { ClientContext } from '../../../../src/client/client-context.ts';
import type { ConnectionState } from '../../../../src/client/connection/state.ts';
import type { Cache } from '../../../../src/client/device.ts';
import { Refused } from '../../../../src/client/errors.ts';
import { createChannels } from '../../../../src/client/logs/channels.ts';
import type { Appends, OutboxWatcher, ToAppend } from '../../../../src/client/outbox/appends.ts';
import type { Entry } from '../../../../src/client/outbox/entry.ts';
import { Changing } from '../../../../src/client/readable.ts';
import type { NewEvent } from '../../../../src/event/event.ts';
import { isAfter } from '../../../../src/event/event-id.ts';
import { LOG, ModelLog, ModelUpstream } from './model-upstream.ts';

export class FakeClient {
  readonly log = new ModelLog();
  readonly connection = new Changing<ConnectionState>({ status: 'live', reason: 'connected' });
  readonly channels;
  readonly upstream: ModelUpstream;
  readonly appended: ToAppend[] = [];
  readonly entries: Entry[] = [];
  readonly watchers = new Set<OutboxWatcher>();
  readonly context: ClientContext;
  pages = 0;

  constructor(cache?: Cache) {
    const upstream = new ModelUpstream(this.log, () => this.channels.receiver);
    this.upstream = upstream;
    const cached = cache && Promise.resolve(cache);
    this.channels = createChannels(() => upstream, { cache: cached });
    const appends = {
      clientId: 'me',
      append: (what: ToAppend) => {
        this.appended.push(what);
        return Object.assign(new Promise(() => {}), { key: 'k', kept: Promise.resolve() });
      },
      of: () => this.entries,
      watch: (_log: unknown, watcher: OutboxWatcher) => {
        this.watchers.add(watcher);
        return () => this.watchers.delete(watcher);
      },
    } as unknown as Appends;
    this.context = {
      client: { connection: this.connection } as unknown as Client,
      channels: this.channels,
      appends,
      cache: cached ?? Promise.resolve(undefined),
      pages: {
        page: async (log, start, limit = 1_000) => {
          this.pages += 1;
          if (start === 'now' || !('after' in start)) throw new Error('not in this test');
          const standing = this.log.standing(start.after);
          if (standing !== 'whole') throw new Refused({ code: standing, message: standing });
          const rest = this.log.kept.filter(({ id }) => isAfter(id, start.after));
          const events = rest.slice(0, limit);
          const cursor = events.at(-1)?.id ?? this.log.version;
          const more = rest.length > events.length;
          return { log, events, cursor, more, version: this.log.version };
        },
      },
    };
  }

  /** Everything that is on its way arrives. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) {
      for (let tick = 0; tick < 10; tick += 1) await Promise.resolve();
      this.upstream.run();
    }
  }

  add(key: string, ...events: NewEvent[]): Entry {
    const entry = { key, log: LOG, events, at: 0, order: this.entries.length } as unknown as Entry;
    this.entries.push(entry);
    for (const watcher of this.watchers) watcher.added(entry);
    return entry;
  }
}
