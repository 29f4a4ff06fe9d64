import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../src/client/outbox/entry.ts';
import { isAfter } from '../../src/event/event-id.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { COUNTED, FORBIDDEN, LOGS, OutboxWorld, type Troubles } from './outbox-world.ts';

const DAY = 86_400_000;
const STEPS = 150;
const SEEDS = Number(process.env.OUTBOX_SEEDS ?? 40);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function step(world: OutboxWorld): Promise<void> {
  const { random, troubles, gateway } = world;
  const tab = random.pick(world.tabs);
  const log = random.pick(LOGS);
  const dice = random.next() * 100;
  if (dice < 22) world.append();
  else if (dice < 46) await tab.deliver();
  else if (dice < 66) tab.answer();
  else if (dice < 70) await tab.cut();
  else if (dice < 79) tab.connect();
  else if (dice < 83) await world.ghost();
  else if (dice < 85) await gateway.foreign(log);
  else if (dice < 86) tab.light(random.between(1, 6));
  else if (dice < 87) void tab.outbox.resync();
  else if (dice < 88 && troubles.copies) await world.copy();
  else if (dice < 89 && troubles.trims) {
    const applied = gateway.applied.get(log)!;
    if (applied.length > 0) await gateway.log.trim(log, random.pick(applied).id);
  } else if (dice < 91 && troubles.bans) gateway.isBanned = !gateway.isBanned;
  else if (dice < 91.5) {
    // Nothing is on its way for so long, and the gateway forgets who appended.
    for (const each of world.tabs) await each.cut();
    while (world.ghosts.length > 0) await world.ghost();
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(Date.now() + 8 * DAY);
  } else await vi.advanceTimersByTimeAsync(random.between(1, 2_000));
  // Most times all is done that can be, sometimes the next thing comes in between.
  if (random.next() < 0.8) await vi.advanceTimersByTimeAsync(0);
  await world.replaceTheDead();
}

/** Everything works again, and is left to itself until nothing is to be done. */
async function calm(world: OutboxWorld): Promise<void> {
  world.isCalm = true;
  world.gateway.isBanned = false;
  while (world.ghosts.length > 0) await world.ghost();
  for (let round = 0; round < 3_000; round += 1) {
    await vi.advanceTimersByTimeAsync(round % 10 === 0 ? 1_000 : 1);
    await world.replaceTheDead();
    for (const tab of world.tabs) {
      tab.connect();
      await tab.deliver();
      tab.answer();
      // As when it is shown: hints there are none.
      if (round % 50 === 0) void tab.outbox.resync();
    }
    if ((await world.store.contents()).entries.length > 0) continue;
    if (world.tabs.every((tab) => tab.isIdle && tab.outbox.all().length === 0)) return;
  }
  const { entries } = await world.store.contents();
  world.complaints.push(`${entries.length} entries are left`);
}

async function verdict(world: OutboxWorld): Promise<string[]> {
  const { gateway, store, troubles } = world;
  const complaints = [...world.complaints];
  const outcomes = new Map<string, Outcome>();
  const orders = new Map(LOGS.map((log) => [log, '0-0']));
  for (const { key, what, told } of world.deeds) {
    const complain = (text: string) => complaints.push(`${key} (${JSON.stringify(what)}): ${text}`);
    const outcome = await store.outcome(key);
    if (outcome === undefined) {
      complain('nobody knows what became of it');
      continue;
    }
    outcomes.set(key, outcome);
    if (told !== undefined && JSON.stringify(told) !== JSON.stringify(outcome)) {
      complain(`told ${JSON.stringify(told)}, kept ${JSON.stringify(outcome)}`);
    }
    const applied = gateway.applied.get(what.log)!;
    const ids = applied.filter((event) => event.key === key).map(({ id }) => id);
    if (ids.length > what.events.length) complain(`is there twice: ${ids}`);
    if (outcome.kind === 'settled') {
      const { appended } = outcome;
      const isNothing = what.command?.command === 'nothing';
      if (isNothing ? ids.length > 0 : ids.length !== what.events.length) {
        complain(`is settled, and there are ${ids.length} events`);
      }
      const isBlind = troubles.trims && appended.ids.length === 0;
      // Of what is found by its mark, some events may have been trimmed.
      const isAll = `${appended.ids}` === `${ids}`;
      const isPart = troubles.trims && `${ids}`.includes(`${appended.ids}`);
      if (!isBlind && !isAll && !isPart) complain(`${appended.ids} are ${ids}`);
      const at = applied.findIndex((event) => event.key === key);
      if (ids.some((id, index) => applied[at + index]?.id !== id)) complain('is torn apart');
      if (what.events[0]!.type === FORBIDDEN) complain('was not to be let in');
      const before = outcomes.get(what.dependsOn ?? '');
      const isUnknown = before?.kind === 'refused' && before.failure.code === 'outcome_unknown';
      // Where a copy took the place of the other one, the gateway took this one for the next.
      if (before?.kind === 'refused' && !isUnknown && !troubles.copies) {
        complain('depends on one that was refused');
      }
      if (ids.length > 0) {
        const last = orders.get(what.log)!;
        // Where a copy took the place of one, those behind it may be in the log already.
        if (!troubles.copies && !isAfter(ids[0]!, last as never)) complain(`comes before ${last}`);
        orders.set(what.log, ids.at(-1)!);
      }
      continue;
    }
    const { code } = outcome.failure;
    if (code === 'outcome_unknown' && troubles.trims) continue;
    if (ids.length > 0) complain(`was refused (${code}), and is there`);
    const isOrdinary =
      what.events[0]!.type === 'Said' &&
      what.expected === undefined &&
      what.dependsOn === undefined &&
      what.command === undefined;
    if (isOrdinary && !troubles.bans) complain(`was refused: ${code}`);
    if (code === 'version_conflict' && what.command && !what.dependsOn) complain('was given up');
  }
  for (const events of gateway.applied.values()) {
    for (const [index, { type, payload }] of events.entries()) {
      if (type === COUNTED && payload !== index)
        complaints.push(`${payload} was decided at ${index}`);
    }
  }
  return complaints;
}

const none: Troubles = { ghosts: false, copies: false, trims: false, bans: false, senders: 1 };

describe('an outbox', () => {
  it.each<[string, Troubles]>([
    ['attempts that are applied late', { ...none, ghosts: true }],
    ['copies of itself', { ...none, copies: true }],
    ['logs that are trimmed', { ...none, trims: true, ghosts: true }],
    ['times when nothing may be appended', { ...none, bans: true }],
    ['two tabs that both send', { ...none, senders: 2 }],
  ])(
    'gets all into the log once, over crashes, lost answers, a failing store and %s',
    async (_, troubles) => {
      const first = SeededRandom.fromEnvironment().seed;
      for (let seed = first; seed < first + SEEDS; seed += 1) {
        const world = new OutboxWorld(new SeededRandom(seed), troubles);
        for (let count = 0; count < STEPS; count += 1) await step(world);
        await calm(world);
        const complaints = await verdict(world);
        for (const tab of world.tabs) await tab.die();
        vi.clearAllTimers();
        expect(complaints, `TEST_SEED=${seed}`).toEqual([]);
      }
    },
  );
});
