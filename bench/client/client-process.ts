/** A process with one client in it, which replays a log, measures its latency or weighs a view. */
import { setImmediate as turn } from 'node:timers/promises';
import { indexedDB } from 'fake-indexeddb';
import { WebSocket } from 'ws';
import { answerQuestions } from '../child.ts';
import { stopwatch } from '../event-sourcing/stopwatch.ts';
import { Samples } from '../latency.ts';
import { loadClient, loadClientIndexedDb } from '../library.ts';
import {
  type ClientLatency,
  type ClientMemory,
  type ClientQuestion,
  type ClientReplayed,
  REPLAYED_LOG,
  type ReplayWay,
} from './questions.ts';

const LIVE_LOG = 'live:1';
const ACCOUNT = 'device';

interface Item {
  readonly n: number;
  readonly text: string;
}

const { connect, defineEvents, type, view } = await loadClient();
const { indexedDb } = await loadClientIndexedDb();
const events = defineEvents({ Added: type<Item>() });

// A profile is written by an exit, not by a signal.
process.once('SIGTERM', () => process.exit());

answerQuestions((question: ClientQuestion) => {
  if (question.ask === 'replay') return replay(question.url, question.way, question.events);
  if (question.ask === 'latency') return latency(question.url, question.appends);
  return memory(question.url, question.keeps, question.events);
});

function open(url: string, persist = false) {
  const kept = persist ? indexedDb({ factory: indexedDB }) : undefined;
  return connect(url, { account: ACCOUNT, WebSocket, persist: kept });
}

async function replay(url: string, way: ReplayWay, count: number): Promise<ClientReplayed> {
  const stop = stopwatch();
  const client = open(url, way === 'view, cache on');
  const log = client.log(REPLAYED_LOG, events);
  let seen = 0;
  if (way === 'events() loop') {
    for await (const event of log.events()) {
      if (event.payload.n >= 0) seen += 1;
      if (seen === count) break;
    }
  } else {
    const counted = view(log, { name: 'count', initial: 0, evolve: (state) => state + 1 });
    seen = await reaches(counted, (state) => (state.isCurrent ? state.confirmed : undefined));
  }
  const spent = stop();
  await client.close();
  if (seen !== count) throw new Error(`${seen} of ${count} events came`);
  return spent;
}

async function latency(url: string, appends: number): Promise<ClientLatency> {
  const own = open(url);
  const other = open(url);
  const options = { initial: -1, evolve: (_: number, event: { payload: Item }) => event.payload.n };
  const log = own.log(LIVE_LOG, events);
  const ownView = view(log, options);
  const otherView = view(other.log(LIVE_LOG, events), options);
  const [ownPending, ownConfirmed, otherDevice] = [new Samples(), new Samples(), new Samples()];
  let current = -1;
  let startedAt = 0;
  // Each of the three once for each append.
  let missing = new Set<Samples>();
  let arrived = () => {};
  const tell = (samples: Samples, state: number) => {
    if (state !== current || !missing.delete(samples)) return;
    if (current >= WARM_UP) samples.add(performance.now() - startedAt);
    if (missing.size === 0) arrived();
  };
  ownView.subscribe(() => {
    const { state, confirmed } = ownView.get();
    tell(ownPending, state);
    tell(ownConfirmed, confirmed);
  });
  otherView.subscribe(() => tell(otherDevice, otherView.get().confirmed));
  await Promise.all(
    [ownView, otherView].map((one) => reaches(one, (state) => state.isCurrent || undefined)),
  );
  while (++current < WARM_UP + appends) {
    const all = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    missing = new Set([ownPending, ownConfirmed, otherDevice]);
    startedAt = performance.now();
    await log.append(events.create('Added', { n: current, text: 'Some payload' }));
    await all;
  }
  await Promise.all([own.close(), other.close()]);
  return {
    ownPending: ownPending.percentiles(),
    ownConfirmed: ownConfirmed.percentiles(),
    otherDevice: otherDevice.percentiles(),
  };
}

const WARM_UP = 50;

/** @param keeps the state holds each payload; otherwise it is a number */
async function memory(url: string, keeps: boolean, count: number): Promise<ClientMemory> {
  interface State {
    readonly count: number;
    readonly item?: Item;
    readonly rest?: State;
  }
  const before = await heap();
  let state: State | undefined;
  let client: ReturnType<typeof open> | undefined = open(url);
  const following = await (async () => {
    const folded = view(client.log(REPLAYED_LOG, events), {
      initial: { count: 0 } as State,
      evolve: (rest, { payload }) =>
        keeps ? { count: rest.count + 1, item: payload, rest } : { count: rest.count + 1 },
    });
    const end = folded.subscribe(() => {});
    state = await reaches(folded, (now) => (now.isCurrent ? now.confirmed : undefined));
    const bytes = (await heap()) - before;
    end();
    return bytes;
  })();
  await client.close();
  client = undefined;
  const stateAlone = (await heap()) - before;
  // Read after that, so that it is still there then.
  if (state?.count !== count) throw new Error(`${state?.count} of ${count} events came`);
  return { following, stateAlone };
}

async function heap(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await turn();
    gc!();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

interface Watched<State> {
  get(): State;
  subscribe(changed: () => void): () => void;
}

/** The first answer that is not undefined. */
function reaches<State, Answer>(
  watched: Watched<State>,
  look: (state: State) => Answer | undefined,
): Promise<Answer> {
  return new Promise((resolve) => {
    let end = () => {};
    const check = () => {
      const answer = look(watched.get());
      if (answer === undefined) return;
      end();
      resolve(answer);
    };
    end = watched.subscribe(check);
    check();
  });
}
