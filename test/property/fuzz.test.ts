/**
 * Every parser that a client's bytes reach, with 100,000 inputs in all: nothing crashes, hangs or
 * fails inside, and every refusal has one of the stable codes. `TEST_SEED` plays a run again.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { Listening } from '../../src/gateway/listening.ts';
import { SILENT } from '../../src/gateway/logger.ts';
import { listen } from '../../src/gateway/node/listen.ts';
import { createLive } from '../../src/live/create-live.ts';
import type { Live } from '../../src/live/live.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/protocol/error-codes.ts';
import { parseOperation } from '../../src/protocol/json-operations.ts';
import type { Operation, Refusal } from '../../src/protocol/operation.ts';
import { textFormat } from '../../src/protocol/text.ts';
import { MemoryLog } from '../../src/stores/memory/log/memory-log.ts';
import { clientFrame, RawClient, UPGRADE_HEADERS } from '../e2e/raw-client.ts';
import { eventually } from '../support/eventually.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { mutated, mutatedBytes, mutatedJson } from './mutation.ts';

const { seed } = SeededRandom.fromEnvironment();
const runs = (numRuns: number) => ({ numRuns, seed });

const JSON_OPERATIONS = [
  '{"op":"append","ref":1,"log":"account:2","events":[{"type":"Greeted","payload":{"text":"hi"},"meta":{"by":"x"}}],"expected":"0-0","producer":{"id":"p1","epoch":0,"seq":0}}',
  '{"op":"append","events":[{"type":"Photo","payload":"aGVsbG8=","encoding":"base64"},{"type":"B","payload":null}]}',
  '{"op":"subscribe","ref":"two","log":"room:5","after":"1526919030474-55"}',
  '{"op":"subscribe","log":"room:5","since":"2018-05-21T15:03:50.123+02:00"}',
  '{"op":"subscribe","log":"room:5","last":100}',
  '{"op":"unsubscribe","ref":3,"log":"room:5"}',
  '{"op":"authenticate","ref":5,"token":"abc.def.ghi"}',
  ...['{"op":"pause"}', '{"op":"resume"}', '{"op":"ping","ref":4}'],
];
const TEXT_OPERATIONS = ['ping', 'event:2', 'event:2:Greeted:Hello: there', 'event:a.b_c-d:T:\n'];
const PATHS = [
  ...['/ws/1', '/ws/a.b', '/ws', '/ws/%31', '/', '/accounts/1', '/accounts', '/tickets'],
  ...['/logs/room:5/events', '/accounts/1/events', '/accounts/a.b/events'],
];
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  after: ['1526919030474-55', '0-0', 'now', '1526919030474'],
  since: ['2018-05-21T15:03:50Z', '2018-05-21', '2018-05-21T15:03:50.123+02:00'],
  last: ['1', '10000'],
  limit: ['10', '0', '10000'],
  follow: ['none'],
  format: ['json', 'text'],
  ticket: ['abc'],
};
const BODIES = [
  '{"type":"Greeted","payload":"Hello there"}',
  '[{"type":"A","payload":{"deep":[1,2.5e3,"x"]},"meta":{"a":1}},{"type":"B","payload":"aGk=","encoding":"base64"}]',
  '{"email":"han@example.org"}',
];
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'if-match': ['"1526919030474-55"', '"0-0"'],
  'producer-id': ['p1'],
  'producer-epoch': ['0', '12'],
  'producer-seq': ['0', '9007199254740991'],
  'last-event-id': ['1526919030474-55', ''],
  authorization: ['Bearer abc.def.ghi', 'Basic dXNlcjpwYXNz'],
  cookie: ['session=abc; other="d e"', 'session=%41'],
  origin: ['http://localhost:3000', 'null', 'https://app.example.com'],
  accept: ['text/event-stream', 'application/json, */*;q=0.1'],
  'sec-websocket-protocol': ['millrace.json.v1', 'millrace.token.abc, millrace.json.v1'],
  'x-forwarded-for': ['192.0.2.1, 198.51.100.2', '2001:db8::1'],
  'x-forwarded-proto': ['https'],
  'x-forwarded-host': ['app.example.com'],
  'content-type': ['application/json; charset=utf-8'],
  'content-length': ['5'],
  host: ['localhost:4000', '127.0.0.1', '[::1]:80'],
};

/** Some of them, each a little wrong; the names stay, so that somebody reads the values. */
function someOf(
  table: Readonly<Record<string, readonly string[]>>,
  most: number,
): fc.Arbitrary<Record<string, string>> {
  const pair = fc
    .constantFrom(...Object.keys(table))
    .chain((name) => mutated(table[name]!, 2).map((value) => [name, value] as const));
  return fc.array(pair, { maxLength: most }).map((pairs) => Object.fromEntries(pairs));
}

const someHeaders = someOf(HEADERS, 4);
const addresses = fc
  .tuple(fc.oneof(fc.constantFrom(...PATHS), mutated(PATHS, 2)), someOf(QUERIES, 2), fc.boolean())
  .map(([path, query, escaped]) => {
    const pairs = Object.entries(query).map(([name, value]) =>
      escaped ? `${name}=${encodeURIComponent(value.toWellFormed())}` : `${name}=${value}`,
    );
    return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
  });
const ADDRESSES = PATHS.flatMap((path) => [path, `${path}?after=0-0&format=json`]);
const bodies = fc.oneof(mutatedJson(BODIES), mutated(BODIES, 3));
const methods = fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');

/** What was logged as a failure of the gateway: nothing a client sends may lead to that. */
const failures: unknown[] = [];
let live: Live;
let gateway: Gateway;
let listening: Listening;

beforeAll(async () => {
  const log = new MemoryLog();
  live = createLive({ log });
  gateway = createGateway({
    log,
    live,
    trustProxy: true,
    logger: { ...SILENT, error: (fields) => failures.push(fields) },
    limits: {
      maxSocketsPerAccount: 0,
      maxSocketsPerAddress: 0,
      appendRate: 0,
      registrationRate: 0,
    },
  });
  listening = await listen(gateway, { port: 0 });
});

afterAll(async () => {
  expect(failures, 'what failed inside the gateway').toEqual([]);
  await listening.close(1_000);
  live.close();
});

function expectStable(code: string | undefined, where: string): void {
  expect(Object.hasOwn(ERROR_CODES, code ?? ''), `${code} in ${where}`).toBe(true);
  const { status } = (ERROR_CODES as Record<string, ErrorCode>)[code!]!;
  expect(status, `${code} in ${where}`).toBeLessThan(500);
}

function expectOperation(operation: Operation | Refusal): void {
  if (operation.op === 'refused') expectStable(operation.error.code, operation.error.message);
}

test('30,000 JSON operations', () => {
  const inputs = fc.oneof(
    { weight: 5, arbitrary: mutatedJson(JSON_OPERATIONS) },
    { weight: 4, arbitrary: mutated(JSON_OPERATIONS) },
    { weight: 1, arbitrary: fc.jsonValue().map((value) => JSON.stringify(value)) },
  );
  fc.assert(
    fc.property(inputs, (text) => expectOperation(parseOperation(text, '1'))),
    runs(30_000),
  );
});

test('20,000 text operations', () => {
  fc.assert(
    fc.property(mutated(TEXT_OPERATIONS, 2), (text) =>
      expectOperation(textFormat.parse(text, '1')),
    ),
    runs(20_000),
  );
});

test('20,000 upgrades: addresses and headers', async () => {
  await fc.assert(
    fc.asyncProperty(addresses, someHeaders, async (url, headers) => {
      const head = { url, headers: { get: (name: string) => headers[name] ?? null } };
      const admission = await gateway.admit(head, { address: '192.0.2.1' });
      if (admission instanceof Response)
        await expectAnswer(admission, `${url} ${JSON.stringify(headers)}`);
      else admission.place.leave();
    }),
    runs(20_000),
  );
});

test('20,000 requests: addresses, headers and bodies', async () => {
  await fc.assert(
    fc.asyncProperty(
      ...([methods, addresses, someHeaders, bodies] as const),
      async (method, path, headers, body) => {
        const request = requestOf(method, path, headers, body);
        // What cannot even be made of it goes over real sockets below.
        if (request === undefined) return;
        const where = `${method} ${path} ${JSON.stringify(headers)} ${body}`;
        await expectAnswer(await gateway.fetch(request), where);
      },
    ),
    runs(20_000),
  );
});

test('5,000 requests over real connections', async () => {
  const heads = ADDRESSES.flatMap((address) => [
    `GET ${address} HTTP/1.1\r\n${Object.entries(HEADERS)
      .slice(0, 12)
      .map(([name, [value]]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
    `GET ${address} HTTP/1.1\r\n${UPGRADE_HEADERS.join('\r\n')}\r\n\r\n`,
    `POST ${address} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${BODIES[0]!.length}\r\n\r\n${BODIES[0]}`,
    `POST ${address} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n[null\r\n1\r\n]\r\n0\r\nX: y\r\n\r\n`,
  ]);
  const inputs = mutatedBytes(
    heads.map((head) => Buffer.from(head, 'latin1')),
    3,
  );
  await inParallel(fc.sample(inputs, runs(5_000)), async (bytes) => {
    const client = new RawClient(listening.port);
    client.write(bytes);
    client.socket.end();
    await expectEnd(client, bytes);
    for (const [, status] of client.received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
      expect(Number(status), bytes.toString('latin1')).toBeLessThan(500);
    }
    for (const [, code] of client.received.matchAll(/"code":"([a-z0-9_]*)"/g)) {
      expectStable(code, bytes.toString('latin1'));
    }
    // Whatever is refused before it is a request says so in the same way.
    if (client.status !== undefined && client.status >= 400 && client.status !== 404) {
      expect(client.received, bytes.toString('latin1')).toMatch(/application\/problem\+json/i);
    }
  });
});

test('5,000 frames over real sockets', async () => {
  const frames = [
    ...[...JSON_OPERATIONS, ...TEXT_OPERATIONS].map((text) => clientFrame(1, Buffer.from(text))),
    clientFrame(1, Buffer.from('{"op":'), { final: false }),
    clientFrame(0, Buffer.from('"ping"}')),
    clientFrame(2, Buffer.from([1, 2, 3])),
    clientFrame(8, Buffer.from([3, 232, 98, 121, 101])),
    ...[clientFrame(9, Buffer.alloc(125)), clientFrame(10, Buffer.from('pong'))],
    clientFrame(1, Buffer.from('x'), { length: 70_000 }),
    clientFrame(1, Buffer.from('x'), { length: 2 ** 40 }),
    clientFrame(1, Buffer.from('x'), { reserved: 0x40 }),
  ];
  const several = fc.array(mutatedBytes(frames, 2), { minLength: 5, maxLength: 5 });
  await inParallel(fc.sample(several, runs(1_000)), async (pieces) => {
    const client = new RawClient(listening.port);
    client.head('GET /ws/1?format=json&after=now HTTP/1.1', UPGRADE_HEADERS);
    await eventually(() => client.status === 101);
    for (const piece of pieces) client.write(piece);
    client.socket.end();
    await expectEnd(client, Buffer.concat(pieces));
    for (const [, code] of client.received.matchAll(/"op":"error".*?"code":"([a-z0-9_]*)"/g)) {
      expectStable(code, Buffer.concat(pieces).toString('latin1'));
    }
  });
  const response = await fetch(listening.url);
  expect(await response.text()).toBe('Healthy');
});

function requestOf(
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string,
): Request | undefined {
  const withBody = method !== 'GET' && method !== 'HEAD';
  try {
    return new Request(`http://localhost${path}`, {
      method,
      headers,
      ...(withBody ? { body } : {}),
    });
  } catch {
    return undefined;
  }
}

async function expectAnswer(response: Response, where: string): Promise<void> {
  expect(response.status, where).toBeLessThan(500);
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) {
    await response.body?.cancel();
    return;
  }
  const text = await response.text();
  if (response.status < 400 || text === '' || text === 'Not Found') return;
  expect(type, where).toBe('application/problem+json');
  const problem = JSON.parse(text) as { code: string; status: number };
  expectStable(problem.code, where);
  expect(problem.status, where).toBe(response.status);
}

/** Whoever has said all that it had to say is answered and let go. */
async function expectEnd(client: RawClient, bytes: Buffer): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      client.destroy();
      reject(
        new Error(`it hangs: ${JSON.stringify(bytes.toString('latin1'))}, got ${client.received}`),
      );
    }, 15_000);
  });
  await Promise.race([client.closed, late]);
  clearTimeout(timer);
}

async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 40 }, worker)).catch((error: unknown) => {
    throw new Error(`with TEST_SEED=${seed}: ${(error as Error).message}`, { cause: error });
  });
}
