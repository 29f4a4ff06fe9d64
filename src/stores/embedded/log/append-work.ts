/** One append on its way through a {@link WriteBatch}. */
import type { Appended } from '../../../event/appended.ts';
import { type EncodedEvent, StoredEvent } from '../../../event/event.ts';
import type { EventId } from '../../../event/event-id.ts';
import type { LogName } from '../../../event/log-name.ts';
import type { Producer } from '../../../event/producer.ts';
import {
  LogFull,
  ProducerFenced,
  ProducerGap,
  VersionConflict,
} from '../../../event/store-errors.ts';
import { allocateIds } from '../../../log/allocate.ts';
import type { AppendOptions } from '../../../log/log.ts';
import { judge, stateAfter } from '../../../log/producer-state.ts';
import type { WriteBatch } from '../group-commit.ts';
import type { Databases } from '../layout.ts';
import { eventFrom, readEntry, writeEntry } from './entry.ts';
import type { LogStage } from './log-stage.ts';

export class Append {
  readonly log: LogName;
  readonly bytes: number;
  /** What came of it; undefined until it was decided. */
  outcome: Appended | undefined;
  /** The version before it. */
  previous: EventId | undefined;
  readonly #events: readonly EncodedEvent[];
  readonly #entries: readonly Uint8Array[];
  readonly #options: AppendOptions;

  constructor(log: LogName, events: readonly EncodedEvent[], options: AppendOptions) {
    this.log = log;
    this.#events = events;
    this.#options = options;
    this.#entries = events.map(writeEntry);
    this.bytes = this.#entries.reduce((sum, entry) => sum + entry.length, 0);
  }

  /** Throws before it stages anything. */
  decide(
    batch: WriteBatch,
    stage: LogStage,
    { events }: Databases,
    now: number,
    producerIdle: number,
  ): void {
    const { expected, producer } = this.#options;
    const { version, trimmed, guarded } = stage.head(this.log);
    const state = producer && stage.producer(this.log, producer.id);
    if (producer !== undefined) {
      const verdict = judge(state, producer, now, producerIdle);
      if (verdict.is === 'duplicate') {
        this.outcome = { ids: verdict.ids, version, duplicate: true };
        return;
      }
      if (verdict.is !== 'next') throw refusal(producer, verdict);
    }
    if (expected !== undefined && expected !== version) {
      throw new VersionConflict(this.log, expected, version);
    }
    const ids = allocateIds(version, now, this.#entries.length);
    if (ids === undefined) throw new LogFull(this.log);

    const first = ids[0]!;
    const last = ids[ids.length - 1]!;
    const number = stage.numberOf(this.log);
    for (let index = 0; index < ids.length; index++) {
      batch.put(events, [number, ids[index]!], this.#entries[index]!);
    }
    stage.changeHead(this.log, { number, version: last, trimmed, guarded });
    if (producer !== undefined) {
      const range = { first, count: ids.length };
      stage.changeProducer(number, producer.id, stateAfter(state, producer, range, now));
    }
    stage.index({ log: this.log, number, first, last });
    this.previous = version;
    this.outcome = { ids, version: last, duplicate: false };
  }

  /** What it added, for followers. */
  storedEvents(): StoredEvent[] {
    return this.outcome!.ids.map((id, index) => {
      const { type, codec, data, meta } = this.#events[index]!;
      // The caller may have used its bytes again: ours are a copy.
      return codec === 'bytes'
        ? eventFrom(id, readEntry(this.#entries[index]!))
        : new StoredEvent(id, type, codec, data, meta);
    });
  }
}

function refusal(
  { id, epoch, seq }: Producer,
  verdict: { is: 'gap'; expectedSeq: number } | { is: 'fenced'; currentEpoch: number },
) {
  return verdict.is === 'gap'
    ? new ProducerGap(id, seq, verdict.expectedSeq)
    : new ProducerFenced(id, epoch, verdict.currentEpoch);
}
