/** `process.once('SIGTERM', () => store.close())` is all that an application needs in the end. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openStore } from '../../src/stores/open.ts';
import { Command } from '../e2e/command.ts';
import { RedisServer } from '../support/redis-server.ts';

const program = fileURLToPath(new URL('application-child.mjs', import.meta.url));

describe('an application that is told SIGTERM ends by itself, with all it had begun done', () => {
  test('on Redis', { timeout: 60_000 }, async () => {
    await using redis = await RedisServer.start();
    await endApplication(redis.url());
  });

  test('on a folder', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-application-'));
    try {
      await endApplication(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test.each(['Redis', 'a folder'])(
  'and so does one whose handlers are stuck, on %s',
  { timeout: 30_000 },
  async (kind) => {
    await using redis = kind === 'Redis' ? await RedisServer.start() : undefined;
    const folder = mkdtempSync(join(tmpdir(), 'millrace-application-'));
    try {
      await using run = new Command(process.execPath, [program, redis?.url() ?? folder, 'stuck']);
      const [, url] = await run.printed(/ready (\S+)/);
      const event = JSON.stringify({ type: 'Asked', payload: null });
      await fetch(`${url}/accounts/1/events`, { method: 'POST', body: event });
      await run.printed(/begun (\S+)/);
      const since = performance.now();
      run.child.kill('SIGTERM');
      expect(await run.ended(), run.stderr).toBe(0);
      expect(performance.now() - since).toBeLessThan(9_500);
      expect(run.stderr).toBe('');
      expect(run.stdout).toContain('"done":[]');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

async function endApplication(location: string): Promise<void> {
  await using run = new Command(process.execPath, [program, location]);
  const [, url] = await run.printed(/ready (\S+)/);
  const socket = new WebSocket(`${url!.replace('http', 'ws')}/ws/1`);
  await once(socket, 'open');
  const left = once(socket, 'close');
  const stream = await fetch(`${url}/accounts/1/events`, {
    headers: { Accept: 'text/event-stream' },
  });
  const body = stream.text();
  const event = JSON.stringify({ type: 'Asked', payload: null });
  const answer = await fetch(`${url}/accounts/1/events`, { method: 'POST', body: event });
  expect(answer.status).toBe(201);
  const [, begun] = await run.printed(/begun (\S+)/);

  const since = performance.now();
  run.child.kill('SIGTERM');
  expect(await run.ended(), run.stderr).toBe(0);
  expect(performance.now() - since).toBeLessThan(9_500);
  expect(run.stderr).toBe('');
  expect((await left)[0]).toBe(1001);
  expect(await body).toContain('Asked');
  const ended = JSON.parse(/ended (.*)/.exec(run.stdout)![1]!);
  expect(ended).toEqual({ ends: ['closed', 'closed'], done: [begun] });

  // What was done counts as done: nobody does it again.
  const store = await openStore(location);
  const { events } = await store.log.read('count:1' as never);
  expect(events.map(({ payload }) => payload)).toEqual([{ from: begun }]);
  const consumer = await store.workQueues.join('slow', { category: 'account' });
  while (await consumer.look());
  expect(await consumer.take(10, 0)).toEqual([]);
  await consumer.leave();
  await store.close();
}
