import { beforeEach, describe, expect, test } from 'vitest';
import { createGateway } from '../../../src/gateway/gateway.ts';
import { Unauthenticated } from '../../../src/gateway/identity/identity.ts';
import type { Logger } from '../../../src/gateway/logger.ts';
import { Refusals } from '../../../src/gateway/refusals.ts';
import { createLive } from '../../../src/live/create-live.ts';
import type { Metrics } from '../../../src/metrics/metrics.ts';
import { SILENT } from '../../../src/metrics/observer.ts';
import { protocolError } from '../../../src/protocol/problem.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { RecordedMetrics } from '../../support/recorded-metrics.ts';

type Line = [level: string, fields: Record<string, unknown>];

let lines: Line[];
let logger: Logger;
const at = (level: string) => lines.filter(([name]) => name === level).map(([, fields]) => fields);

beforeEach(() => {
  lines = [];
  const line = (level: string) => (fields: object) => lines.push([level, { ...fields }]);
  logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
});

const request = (url: string, headers: Record<string, string> = {}) => ({
  url,
  headers: new Headers(headers),
});

describe('what is told', () => {
  let waiting: { milliseconds: number; call: () => void }[];
  let refusals: Refusals;

  beforeEach(() => {
    waiting = [];
    refusals = new Refusals(logger, false, SILENT, (milliseconds, call) => {
      const entry = { milliseconds, call };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((some) => some !== entry);
      };
    });
  });

  const pass = () => waiting.shift()!.call();
  const knock = (code: 'forbidden_origin' | 'unauthenticated') =>
    refusals.upgrade(protocolError(code, 'because'), request('/ws/1'), { address: '127.0.0.1' });

  test('each at debug, and soon how many there were', () => {
    knock('forbidden_origin');
    knock('forbidden_origin');
    knock('unauthenticated');
    expect(at('debug')).toHaveLength(3);
    expect(at('info')).toEqual([]);
    expect(waiting.map(({ milliseconds }) => milliseconds)).toEqual([1_000]);
    pass();
    expect(at('info')).toEqual([{ refused: { forbidden_origin: 2, unauthenticated: 1 } }]);
  });

  test('one line a minute, however many knock; after a quiet minute soon again', () => {
    knock('forbidden_origin');
    pass();
    for (let knocks = 0; knocks < 1_000; knocks += 1) knock('unauthenticated');
    expect(waiting.map(({ milliseconds }) => milliseconds)).toEqual([60_000]);
    pass();
    expect(at('info').slice(1)).toEqual([{ refused: { unauthenticated: 1_000 } }]);
    pass();
    expect([at('info').length, waiting.length]).toEqual([2, 0]);
    knock('unauthenticated');
    expect(waiting.map(({ milliseconds }) => milliseconds)).toEqual([1_000]);
  });

  test('at the end nothing is kept back, and nothing goes on', () => {
    knock('forbidden_origin');
    refusals.close();
    expect(at('info')).toEqual([{ refused: { forbidden_origin: 1 } }]);
    expect(waiting).toEqual([]);
  });

  test('a request counts when it was turned away, not when it was wrong', () => {
    const wrong = protocolError('invalid_json', 'no JSON');
    refusals.request(wrong, request('http://localhost/accounts/1/events'), {});
    expect(lines).toEqual([]);
    const limited = protocolError('rate_limited', 'too many');
    refusals.request(limited, request('http://localhost/accounts/1/events?a=b'), {});
    expect(at('debug')[0]).toMatchObject({ code: 'rate_limited', path: '/accounts/1/events' });
  });

  test('behind a proxy the address is that of the client', () => {
    const behind = new Refusals(logger, true, SILENT, () => () => {});
    const headers = { 'X-Forwarded-For': '203.0.113.7' };
    const error = protocolError('unauthenticated', 'who?');
    behind.upgrade(error, request('/ws', headers), { address: '127.0.0.1' });
    expect(at('debug')[0]).toMatchObject({ address: '203.0.113.7' });
  });
});

describe('of a gateway', () => {
  const gateway = (authenticate?: () => never, metrics?: Metrics) => {
    const log = new MemoryLog();
    return createGateway({ log, live: createLive({ log }), logger, authenticate, metrics });
  };

  test('an upgrade by a foreign page says which, and no secret', async () => {
    const foreign = request('/ws/1?ticket=secret', {
      Host: 'localhost:4000',
      Origin: 'https://elsewhere.example',
    });
    const answer = await gateway().admit(foreign, { address: '127.0.0.1' });
    expect(answer).toMatchObject({ status: 403 });
    expect(at('debug')).toEqual([
      {
        code: 'forbidden_origin',
        reason: expect.stringContaining('https://elsewhere.example'),
        path: '/ws/1',
        origin: 'https://elsewhere.example',
        address: '127.0.0.1',
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('a token that does not count says why, on sockets and on HTTP, and is counted', async () => {
    const metrics = new RecordedMetrics();
    const refusing = gateway(() => {
      throw new Unauthenticated('the token has expired');
    }, metrics);
    await refusing.admit(request('/ws', { Host: 'localhost' }));
    await refusing.fetch(new Request('http://localhost/accounts/1/events'));
    expect(at('debug')).toMatchObject([
      { code: 'unauthenticated', reason: 'the token has expired', path: '/ws' },
      { code: 'unauthenticated', reason: 'the token has expired', path: '/accounts/1/events' },
    ]);
    expect(metrics.counts).toEqual({ 'refusals unauthenticated': 2 });
    await refusing.close();
    expect(at('info')).toEqual([{ refused: { unauthenticated: 2 } }]);
  });
});
