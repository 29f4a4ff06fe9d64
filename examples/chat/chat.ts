/**
 * A chat in terminals. What is said in a room is an event in the room's log; a worker copies it
 * into the log of each member, and a member's terminal follows that one log, however many rooms
 * there are. Who was away gets the rest on coming back.
 *
 *   Ada says ─► room:tea ─► worker ─┬─► account:ada ─► Ada's terminal
 *                                   └─► account:bob ─► Bob's, at once or when he is back
 *
 *   npm run example chat serve
 *   npm run example chat ada        (in a second terminal, and bob in a third)
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  accountLog,
  compareEventIds,
  createGateway,
  createLive,
  defineEvents,
  type EventId,
  type LogName,
  listen,
  type Meta,
  openStore,
  typedLog,
  type WorkStore,
  work,
  ZERO_ID,
} from 'millrace';
import { WebSocket } from 'ws';
import { z } from 'zod';

// Clients append these themselves. What is none of them stops nobody, and is passed over.
export const events = defineEvents({
  Joined: z.object({}),
  Left: z.object({}),
  Said: z.object({ text: z.string().max(4_000) }),
});

// And nothing else: the logs of members are for the worker alone to write.
const appendTypes = events.types.map((type) => `room=${type}`);

/** Who says so is the gateway's word, and nothing that a client could make up. */
function nameOf({ from }: Meta): string | undefined {
  return /^account:(.+)$/.exec(String(from))?.[1];
}

/** Copies each event of a room to its members, each copy once, whatever is killed. */
export function runFanOut(store: WorkStore) {
  const membersOf = membership(store);
  return work(store, {
    group: 'chat',
    category: 'room',
    events,
    async handler({ log, id, type, payload, meta }, { once }) {
      const who = nameOf(meta);
      if (who === undefined) return;
      const room = log.slice('room:'.length);
      const copy = { type, payload: { ...payload, room, who } };
      // One append for each log that it goes to.
      const onceEach = once('copy');
      for (const member of new Set([...(await membersOf(log, id)), who])) {
        await store.log.append(accountLog(member), [copy], onceEach);
      }
    },
  });
}

/** Who is in a room right after an event of it. Remembers, so that an event is read once. */
function membership(store: WorkStore) {
  const rooms = typedLog(store.log, events);
  const known = new Map<LogName, { after: EventId; members: Set<string> }>();
  return async (log: LogName, through: EventId): Promise<ReadonlySet<string>> => {
    let room = known.get(log);
    if (room === undefined || compareEventIds(room.after, through) > 0) {
      room = { after: ZERO_ID, members: new Set() };
      known.set(log, room);
    }
    while (compareEventIds(room.after, through) < 0) {
      const page = await rooms.read(log, { after: room.after });
      for (const { id, type, meta } of page.events) {
        if (compareEventIds(id, through) > 0) break;
        const who = nameOf(meta);
        if (who !== undefined && type === 'Joined') room.members.add(who);
        if (who !== undefined && type === 'Left') room.members.delete(who);
      }
      room.after = compareEventIds(page.next, through) < 0 && page.more ? page.next : through;
    }
    return room.members;
  };
}

async function serve(location: string, port: number): Promise<void> {
  const store = await openStore(location);
  const live = createLive({ log: store.log });
  const server = await listen(createGateway({ log: store.log, live, appendTypes }), { port });
  await runFanOut(store);
  console.log(`The chat is at ${server.url}`);
  // Ends what runs on it, too: the server, the worker, what is delivered live.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => store.close());
}

/** One person's terminal: lines go into the room, what comes is printed. */
function terminal(name: string, url: string): void {
  const lines = createInterface({ input: process.stdin });
  let room = 'lobby';
  let after: string = ZERO_ID;
  let socket: WebSocket;
  let isOver = false;

  const say = (type: string, payload = {}) => {
    const event = { type, payload };
    socket.send(JSON.stringify({ op: 'append', log: `room:${room}`, events: [event] }));
  };
  const join = (next: string) => {
    room = next;
    say('Joined');
  };
  const connect = (isFirst: boolean) => {
    // Until there is a connection, what is typed waits.
    lines.pause();
    socket = new WebSocket(`${url}/ws/${name}?after=${after}`, 'millrace.json.v1');
    socket.on('open', () => {
      if (isFirst) join(room);
      lines.resume();
    });
    socket.on('message', (data) => show(JSON.parse(String(data))));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      if (isOver) return;
      console.log('… the chat is away, trying again');
      setTimeout(connect, 1_000, isFirst && after === ZERO_ID);
    });
  };
  const show = (frame: { op: string; events?: Shown[]; message?: string }) => {
    if (frame.op === 'error') console.log(`! ${frame.message}`);
    for (const { id, type, payload } of frame.events ?? []) {
      const { room, who, text } = payload;
      console.log(`[${room}] ${who}${type === 'Said' ? `: ${text}` : ` ${type.toLowerCase()}`}`);
      after = id; // a new connection goes on from here
    }
  };
  lines.on('line', (line) => {
    const [word, next] = line.trim().split(/\s+/);
    if (word === '/join' && next) join(next);
    else if (word === '/leave') say('Left');
    else if (word?.startsWith('/')) console.log('/join ROOM, /leave, or what you want to say');
    else if (word) say('Said', { text: line.trim() });
  });
  lines.on('close', () => {
    isOver = true;
    socket.close();
  });
  console.log('You are in the lobby. /join ROOM, /leave, or what you want to say. Ctrl-D ends.');
  connect(true);
}

const USAGE = `npm run example chat serve        (--store FOLDER or redis://…; default ./chat-data)
npm run example chat YOUR-NAME    (--url WHERE; default ws://127.0.0.1:4001)`;

interface Shown {
  readonly id: string;
  readonly type: string;
  readonly payload: { readonly room: string; readonly who: string; readonly text?: string };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const port = Number(process.env.PORT ?? 4001);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      store: { type: 'string', default: './chat-data' },
      url: { type: 'string', default: `ws://127.0.0.1:${port}` },
    },
  });
  const [what] = positionals;
  if (what === 'serve') await serve(values.store, port);
  else if (what) terminal(what, values.url);
  else console.log(USAGE);
}
