/** What a session stands between: a socket and a live delivery that the test plays. */
import type { Appended } from '../../../src/event/appended.ts';
import type { NewEvent, StoredEvent } from '../../../src/event/event.ts';
import type { EventId } from '../../../src/event/event-id.ts';
import type { LogName } from '../../../src/event/log-name.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import type { Start } from '../../../src/event/start.ts';
import { Appending } from '../../../src/gateway/appending.ts';
import { Heartbeat } from '../../../src/gateway/heartbeat.ts';
import { Access, type AccessOptions } from '../../../src/gateway/identity/access.ts';
import type { Identity } from '../../../src/gateway/identity/identity.ts';
import { LargeEvents } from '../../../src/gateway/large-events.ts';
import { UNLIMITED } from '../../../src/gateway/limits/append-rate.ts';
import { InMemory } from '../../../src/gateway/limits/in-memory.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from '../../../src/gateway/limits/limits.ts';
import { LoopTurns } from '../../../src/gateway/limits/loop-turns.ts';
import { SILENT } from '../../../src/gateway/logger.ts';
import { Session, type SessionContext } from '../../../src/gateway/sockets/session.ts';
import type { GatewaySocket, Reading } from '../../../src/gateway/sockets/socket.ts';
import type { Live } from '../../../src/live/live.ts';
import type { Sink, Subscription } from '../../../src/live/sink.ts';
import type { AppendOptions, EventLog, Page } from '../../../src/log/log.ts';
import { jsonFormat } from '../../../src/protocol/json-format.ts';

/** A socket of a runtime that can stop to read and count, and makes its frames by itself. */
export class FakeSocket implements GatewaySocket {
  bytesWaiting = 0;
  bytesTaken: number | undefined = 0;
  /** All that was sent but events. */
  readonly sent: string[] = [];
  /** Messages with events. */
  readonly delivered: DeliveredEvents[] = [];
  isReading = true;
  pings = 0;
  closedWith: { code: number; reason: string } | undefined;
  terminated = false;
  reading: Reading | undefined = {
    pause: () => {
      this.isReading = false;
    },
    resume: () => {
      this.isReading = true;
    },
  };

  send(message: string): void {
    const delivered = eventsIn(message);
    if (delivered === undefined) this.sent.push(message);
    else this.deliver(delivered, message);
  }
  deliver(delivered: DeliveredEvents, _message: string): void {
    this.delivered.push(delivered);
  }
  ping(): void {
    this.pings += 1;
  }
  close(code: number, reason: string): void {
    this.closedWith = { code, reason };
  }
  terminate(): void {
    this.terminated = true;
  }

  get told(): { op: string; [member: string]: unknown }[] {
    return this.sent.map((message) => JSON.parse(message));
  }
}

export interface DeliveredEvents {
  readonly log: LogName;
  readonly events: readonly { readonly id: EventId }[];
}

function eventsIn(message: string): DeliveredEvents | undefined {
  return message.startsWith('{"op":"events"') ? JSON.parse(message) : undefined;
}

export class FakeSubscription implements Subscription {
  readonly cursor = '0-0' as EventId;
  readonly log: LogName;
  readonly start: Start;
  readonly sink: Sink;
  readonly calls: string[] = [];
  /** What `drained()` leads to. */
  onDrained: () => void = () => {};

  constructor(log: LogName, start: Start, sink: Sink) {
    this.log = log;
    this.start = start;
    this.sink = sink;
  }
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
  }
  drained(): void {
    this.calls.push('drained');
    this.onDrained();
  }
  close(): void {
    this.calls.push('close');
  }
}

export class FakeLive implements Live {
  readonly subscriptions: FakeSubscription[] = [];
  failure: Error | undefined;

  subscribe(log: LogName, start: Start, sink: Sink): Subscription {
    if (this.failure !== undefined) throw this.failure;
    const subscription = new FakeSubscription(log, start, sink);
    this.subscriptions.push(subscription);
    return subscription;
  }
  read(): Promise<Page> {
    throw new Error('no session reads');
  }
  before(): Promise<EventId> {
    throw new Error('no session reads');
  }
  close(): void {}

  of(log: string): FakeSubscription {
    const found = this.subscriptions.find((subscription) => subscription.log === log);
    if (found === undefined) throw new Error(`nobody has subscribed to ${log}`);
    return found;
  }
}

/** An append that the test answers. */
export interface PendingAppend {
  readonly log: LogName;
  readonly types: readonly string[];
  readonly metas: readonly unknown[];
  readonly options: AppendOptions | undefined;
  resolve(outcome?: Partial<Appended>): Promise<void>;
  reject(error: Error): Promise<void>;
}

export class FakeLog implements Pick<EventLog, 'append'> {
  readonly pending: PendingAppend[] = [];

  append(log: LogName, events: readonly NewEvent[], options?: AppendOptions): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.pending.push({
        log,
        options,
        types: events.map(({ type }) => type),
        metas: events.map(({ meta }) => meta),
        resolve(outcome = {}) {
          resolve({ ids: [], version: '1-0' as EventId, duplicate: false, ...outcome });
          return settled();
        },
        reject(error) {
          reject(error);
          return settled();
        },
      });
    });
  }
}

export interface Scene {
  readonly socket: FakeSocket;
  readonly live: FakeLive;
  readonly log: FakeLog;
  readonly session: Session;
  readonly context: SessionContext;
  /** Sends a JSON operation to the session. */
  say(operation: object): void;
}

export interface SceneOptions {
  readonly access?: AccessOptions;
  readonly identity?: Identity;
  /** In place of the one that the test plays. */
  readonly live?: Live;
  readonly socket?: FakeSocket;
}

export function scene(limits: Partial<GatewayLimits> = {}, options: SceneOptions = {}): Scene {
  const { identity = { account: '1' }, socket = new FakeSocket() } = options;
  const live = new FakeLive();
  const log = new FakeLog();
  const access = new Access(options.access ?? {});
  const inMemory = new InMemory(
    limits.maxBodyBytesTogether ?? DEFAULT_GATEWAY_LIMITS.maxBodyBytesTogether,
  );
  const context: SessionContext = {
    appending: new Appending({
      log: log as unknown as EventLog,
      access,
      appendRate: UNLIMITED,
      inMemory,
    }),
    live: options.live ?? live,
    access,
    appendRate: UNLIMITED,
    turns: new LoopTurns(),
    large: new LargeEvents(live, 1_048_576, new LoopTurns()),
    limits: { ...DEFAULT_GATEWAY_LIMITS, ...limits },
    logger: SILENT,
    heartbeat: new Heartbeat(25_000, 60_000),
    sessions: new Set(),
  };
  const session = new Session(context, socket, {
    identity,
    accountId: '1',
    log: accountLog('1'),
    start: 'now',
    follows: true,
    format: jsonFormat,
    subprotocol: undefined,
    place: { leave() {} },
  });
  return {
    socket,
    live,
    log,
    session,
    context,
    say: (operation) => session.receive(JSON.stringify(operation)),
  };
}

/** Lets promises that are settled run their callbacks. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export function idsOf(events: readonly StoredEvent[]): string[] {
  return events.map(({ id }) => id);
}
