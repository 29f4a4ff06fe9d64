/** One open store a folder, by a lock that ends with the process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedLog } from '../../src/stores/embedded/log/embedded-log.ts';
import { buildOnce, RemoteLog } from './embedded-remote.ts';

let folder: string;

beforeAll(buildOnce, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the folder of an embedded log', () => {
  it('is refused to a second process, in words that help', async () => {
    await using first = new RemoteLog(folder);
    expect(await first.call('open')).toEqual({ ok: null });
    await using second = new RemoteLog(folder);
    const refusal = await second.call('open');
    expect(refusal).toMatchObject({ code: 'store_locked' });
    expect(refusal).toMatchObject({ message: expect.stringContaining(folder) });
    expect(refusal).toMatchObject({ message: expect.stringContaining(`ID ${first.pid};`) });
    expect(refusal).toMatchObject({ message: expect.stringContaining('choose another folder') });
    // The refused one has disturbed nothing.
    expect(await first.call('append', 'account:1', [{ type: 'T', payload: 'p' }])).toHaveProperty(
      'ok',
    );
  });

  it('is free at once after kill -9', async () => {
    await using first = new RemoteLog(folder);
    await first.call('open');
    await first.call('append', 'account:1', [{ type: 'T', payload: 'p' }]);
    await first.kill();
    const second = await EmbeddedLog.open(folder);
    expect((await second.read('account:1' as never)).events).toHaveLength(1);
    await second.close();
  });

  it('is free again after it was closed, and whatever the lock file says', async () => {
    const first = await EmbeddedLog.open(folder);
    await first.close();
    // The ID of a process that lives, as it is found after a container was restarted.
    writeFileSync(join(folder, 'millrace.lock'), '1\n');
    const second = await EmbeddedLog.open(folder);
    await second.close();
  });

  it('is refused to the same process as well', async () => {
    const first = await EmbeddedLog.open(folder);
    await expect(EmbeddedLog.open(folder)).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining('this very process'),
    });
    // The refusal has not let go of the lock.
    await using other = new RemoteLog(folder);
    expect(await other.call('open')).toMatchObject({ code: 'store_locked' });
    await first.close();
    expect(await other.call('open')).toEqual({ ok: null });
  });
});
