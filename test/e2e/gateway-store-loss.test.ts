/** What sockets see of a store that is gone for a while: nothing but the wait. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Appended } from '../../src/event/appended.ts';
import type { NewEvent } from '../../src/event/event.ts';
import { accountLog, type LogName } from '../../src/event/log-name.ts';
import { OutcomeUnknown, Unavailable } from '../../src/event/store-errors.ts';
import type { Follower, Page, ReadOptions } from '../../src/log/log.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { randomId } from '../support/names.ts';
import { Client, type RunningGateway, startGateway } from './gateway-client.ts';

/** A log that can be lost: nothing gets through, and nobody hears of what others append. */
class LosableLog extends MemoryLog {
  readonly #followers = new Set<Follower>();
  #lost = false;
  readsRefused = 0;

  lose(): void {
    this.#lost = true;
  }

  regain(): void {
    this.#lost = false;
    for (const follower of this.#followers) follower.wake();
  }

  /** Somebody else's append, past the gateway. */
  appendElsewhere(log: LogName, events: readonly NewEvent[]): Promise<Appended> {
    return super.append(log, events);
  }

  override async append(...call: Parameters<MemoryLog['append']>): Promise<Appended> {
    if (!this.#lost) return super.append(...call);
    const [{ type }] = call[1] as [NewEvent];
    if (type === 'Sent') throw new OutcomeUnknown('connection lost');
    throw new Unavailable('connection lost');
  }

  override async read(log: LogName, options?: ReadOptions): Promise<Page> {
    if (!this.#lost) return super.read(log, options);
    this.readsRefused += 1;
    throw new Unavailable('connection lost');
  }

  override async follow(log: LogName, follower: Follower): Promise<() => void> {
    if (this.#lost) throw new Unavailable('connection lost');
    const quiet: Follower = {
      events: (previous, events) => {
        if (!this.#lost) follower.events(previous, events);
      },
      wake: () => {
        if (!this.#lost) follower.wake();
      },
      position: () => follower.position(),
    };
    this.#followers.add(follower);
    return super.follow(log, quiet);
  }
}

let log: LosableLog;
let running: RunningGateway;

beforeEach(async () => {
  log = new LosableLog();
  running = await startGateway({ log });
});

afterEach(() => running.stop());

test('sockets stay, appends are told what became of them, and all catch up', async () => {
  const account = randomId();
  const name = accountLog(account);
  await log.append(name, [{ type: 'T', payload: 'before' }]);
  const url = `${running.socketUrl}/ws/${account}?format=json`;
  const early = await Client.open(url);
  await early.frame(({ op }) => op === 'live');

  log.lose();
  early.send({ op: 'append', ref: 1, events: [{ type: 'Unsent', payload: 1 }] });
  early.send({ op: 'append', ref: 2, events: [{ type: 'Sent', payload: 1 }] });
  expect(await early.frame(({ ref }) => ref === 1)).toMatchObject({ code: 'unavailable' });
  expect(await early.frame(({ ref }) => ref === 2)).toMatchObject({ code: 'outcome_unknown' });
  const posted = await fetch(`${running.url}/accounts/${account}/events`, {
    method: 'POST',
    body: '{"type":"Unsent","payload":1}',
  });
  expect([posted.status, posted.headers.get('retry-after')]).toEqual([503, '1']);
  const late = await Client.open(url);
  await log.appendElsewhere(name, [{ type: 'T', payload: 'meanwhile' }]);
  late.send({ op: 'ping', ref: 3 });
  await late.frame(({ op }) => op === 'pong');
  expect(late.frames).toHaveLength(1);

  log.regain();
  for (const client of [early, late]) {
    await eventually(() => client.events.length === 2);
    expect(client.events.map(({ payload }) => payload)).toEqual(['before', 'meanwhile']);
    expect(client.closed).toBe(false);
  }
});
