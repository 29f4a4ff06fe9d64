/**
 * The cache in the browser's database: what is handed over within a short time is written in one
 * transaction. It is nothing that could not be read again: what is damaged, or cannot be written, is
 * dropped, and nobody is bothered with it.
 */
import { StoredEvent } from '../../event/event.ts';
import { type EventId, isAfter, isEventId } from '../../event/event-id.ts';
import type { LogName } from '../../event/log-name.ts';
import type { Cache, CachedLog, CachedState } from '../device.ts';
import { answer, type Database, isQuota, type Stores } from './database.ts';
import { CACHE_STORES, CHUNKS, LOGS, STATES } from './layout.ts';
import {
  type Added,
  type CacheLimits,
  joined,
  NOTHING,
  type Row,
  type Stretch,
  Stretches,
} from './stretches.ts';
import { weighsAtMost } from './weight.ts';

/** Milliseconds in which things are gathered. */
const PAUSE = 100;
/** The views that were kept last. Each is at most so large, else what was kept of it before stays. */
const MAX_STATES = 100;
const MAX_STATE_BYTES = 1_048_576;

/** What is to be written. */
class Batch {
  readonly added = new Map<LogName, Added>();
  /** They were read: they are of use. */
  readonly touched = new Set<LogName>();
  /** Undefined: it is to be dropped. */
  readonly states = new Map<string, CachedState | undefined>();
}

export class StoredCache implements Cache {
  readonly #database: Database;
  readonly #limits: CacheLimits;
  #batch = new Batch();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #written = Promise.resolve();

  constructor(database: Database, limits: CacheLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  async log(log: LogName): Promise<CachedLog | undefined> {
    await this.flush();
    try {
      const cached = await this.#database.read([LOGS, CHUNKS], (store) => readLog(store, log));
      if (cached !== undefined) this.#soon().touched.add(log);
      return cached;
    } catch {
      this.#soon().added.set(log, NOTHING);
      return undefined;
    }
  }

  add(
    log: LogName,
    events: readonly StoredEvent[],
    cursor: EventId,
    { after, isNew = false }: { readonly after: EventId; readonly isNew?: boolean | undefined },
  ): void {
    const { added } = this.#soon();
    added.set(log, joined(added.get(log), { after, events, cursor, isNew }, this.#limits));
  }

  async state(name: string): Promise<CachedState | undefined> {
    await this.flush();
    try {
      const kept = await this.#database.read([STATES], (store) =>
        answer<CachedState | undefined>(store(STATES).get(name)),
      );
      return kept && isEventId(kept.cursor) ? kept : undefined;
    } catch {
      return undefined;
    }
  }

  keep(name: string, state: CachedState): void {
    if (weighsAtMost(MAX_STATE_BYTES, state.state)) this.#soon().states.set(name, state);
  }

  drop(name: string): void {
    this.#soon().states.set(name, undefined);
  }

  flush(): Promise<void> {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const batch = this.#batch;
      this.#batch = new Batch();
      this.#written = this.#written.then(() => this.#write(batch));
    }
    return this.#written;
  }

  /** What will be written. */
  #soon(): Batch {
    this.#timer ??= setTimeout(() => void this.flush(), PAUSE);
    return this.#batch;
  }

  async #write(batch: Batch): Promise<void> {
    const write = (isShort: boolean) =>
      this.#database.change(CACHE_STORES, 'relaxed', async (store) => {
        await this.#writeLogs(store, batch, isShort);
        await writeStates(store, batch.states);
      });
    try {
      await write(false).catch((error: unknown) => {
        if (!isQuota(error)) throw error;
        return write(true);
      });
    } catch {
      // There is no room at all, or it is damaged. What comes next begins anew.
      await this.#database
        .change(CACHE_STORES, 'relaxed', async (store) => {
          for (const name of CACHE_STORES) store(name).clear();
        })
        .catch(() => {});
    }
  }

  async #writeLogs(store: Stores, { added, touched }: Batch, isShort: boolean): Promise<void> {
    const used = Date.now();
    const stretches = await Stretches.read(store, this.#limits);
    for (const log of touched) stretches.touch(log, used);
    for (const [log, what] of added) await stretches.add(log, what, used);
    stretches.write(isShort);
  }
}

/** @throws what is thrown where it is damaged, or of another layout */
async function readLog(store: Stores, log: LogName): Promise<CachedLog | undefined> {
  const stretch = await answer<Stretch | undefined>(store(LOGS).get(log));
  if (stretch === undefined) return undefined;
  const { after, cursor, chunks } = stretch;
  const rows = await Promise.all(
    chunks.map(({ number }) => answer<Row[]>(store(CHUNKS).get([log, number]))),
  );
  let last = idFrom(after);
  const events = rows.flat().map((row) => {
    const [id, type, codec, data, rawMeta] = row;
    if (!isAfter(idFrom(id), last) || !isWhole(row)) throw new TypeError('damaged');
    last = id;
    return new StoredEvent(id, type, codec, data, rawMeta);
  });
  if (isAfter(last, idFrom(cursor))) throw new TypeError('damaged');
  return { after, events, cursor };
}

function idFrom(text: string): EventId {
  if (isEventId(text)) return text;
  throw new TypeError('damaged');
}

function isWhole([, type, codec, data, rawMeta]: Row): boolean {
  const isText = typeof data === 'string' && (codec === 'text' || codec === 'json');
  return (
    typeof type === 'string' &&
    (isText || (codec === 'bytes' && data instanceof Uint8Array)) &&
    (rawMeta === undefined || typeof rawMeta === 'string')
  );
}

async function writeStates(store: Stores, states: Batch['states']): Promise<void> {
  if (states.size === 0) return;
  const used = Date.now();
  for (const [name, state] of states) {
    try {
      if (state === undefined) store(STATES).delete(name);
      else store(STATES).put({ ...state, used }, name);
    } catch {
      // It is nothing that can be kept.
    }
  }
  const tooMany = (await answer(store(STATES).count())) - MAX_STATES;
  if (tooMany <= 0) return;
  const oldest = await answer(store(STATES).index('used').getAllKeys(null, tooMany));
  for (const name of oldest) store(STATES).delete(name);
}
