/** What the compiler has to know of a client: part of `npm run typecheck`, never run. */
import {
  type Appended,
  type Client,
  type ClientLog,
  connect,
  defineEvents,
  type Latest,
  type Payload,
  type Readable,
  type RecordedOf,
  type Sending,
  type,
} from '../../src/client/client.ts';
import { type Equal, expectType } from './expect-type.ts';

const room = defineEvents({
  Said: type<{ text: string }>(),
  Left: type<{ why: 'bored' | 'late' }>(),
});
type RoomEvent = RecordedOf<typeof room>;

const client: Client = connect('https://events.example', { token: async () => 'abc' });
const log = client.log('room:1', room);
const own = client.log(undefined, room);
expectType<Equal<typeof own, typeof log>>();

export async function reads(): Promise<void> {
  for await (const event of log.events({ last: 5 })) {
    expectType<Equal<typeof event, RoomEvent>>();
    if (event.type === 'Left') expectType<Equal<typeof event.payload, { why: 'bored' | 'late' }>>();
  }
  const { events } = await log.read('now', 10);
  expectType<Equal<typeof events, readonly RoomEvent[]>>();
}

log.on('Said', (event) => {
  expectType<Equal<typeof event.payload, { text: string }>>();
});
log.on('*', (event) => {
  expectType<Equal<typeof event, RoomEvent>>();
});
// @ts-expect-error there is no such event
log.on('Sad', () => {});

const latest = log.latest();
const shown: Readable<Latest<{ Said: { text: string }; Left: { why: 'bored' | 'late' } }>> = latest;
expectType<
  Equal<(typeof shown extends Readable<infer Value> ? Value : never)['isCurrent'], boolean>
>();

const sending: Sending = log.append(room.create('Said', { text: 'hi' }));
export const appended: Promise<Appended> = sending;
log.append({ type: 'Left', payload: { why: 'late' } }, { dependsOn: sending });
log.append([{ type: 'Said', payload: { text: 'hi' } }, room.create('Left', { why: 'bored' })]);
// @ts-expect-error the payload is another one
log.append({ type: 'Said', payload: { words: 'hi' } });
// @ts-expect-error there is no such event
log.append({ type: 'Sad', payload: {} });

// Without definitions: any type, any payload.
const untyped = client.log('room:1');
untyped.append({ type: 'Anything', payload: [1, { two: null }] });
untyped.append({ type: 'Bytes', payload: new Uint8Array(1), meta: { why: 'test' } });
untyped.on('Anything', (event) => {
  expectType<Equal<typeof event.payload, Payload>>();
});
export const kept: ClientLog<Readonly<Record<string, Payload>>> = untyped;

// @ts-expect-error persist is what indexedDb() answers
connect('/', { persist: 'indexeddb' });
// @ts-expect-error a start is one of three kinds, or 'now'
log.events({ from: 1 });
