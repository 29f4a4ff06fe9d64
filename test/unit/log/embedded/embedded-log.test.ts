/** What the contract suite does not ask of this store: its folder, and what is left on the disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../../src/event/event.ts';
import { ZERO_ID } from '../../../../src/event/event-id.ts';
import { EmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { randomLog } from '../../../support/names.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('an embedded log', () => {
  it('has what was appended after it was closed and opened again', async () => {
    const name = randomLog();
    const before = await EmbeddedLog.open(folder);
    const told: StoredEvent[] = [];
    await before.follow(name, {
      events: (_, events) => told.push(...events),
      wake: () => {},
      position: () => ZERO_ID,
    });
    const bytes = new Uint8Array([1, 2, 3]);
    const appending = before.append(name, [
      { type: 'Said', payload: 'hello', meta: { who: 'me' } },
      { type: 'Counted', payload: { n: 1 } },
      { type: 'Sent', payload: bytes },
    ]);
    bytes.fill(0);
    const appended = await appending;
    await before.close();

    const after = await EmbeddedLog.open(folder);
    const page = await after.read(name);
    expect(page.events.map((event) => event.id)).toEqual(appended.ids);
    expect(page.events.map((event) => event.payload)).toEqual([
      'hello',
      { n: 1 },
      new Uint8Array([1, 2, 3]),
    ]);
    expect(page.events[0]?.meta).toEqual({ who: 'me' });
    expect(page.version).toBe(appended.version);
    expect(told).toEqual(page.events);
    const next = await after.append(name, [{ type: 'Said', payload: 'again' }]);
    expect((await after.read(name, { after: appended.version })).events[0]?.id).toBe(next.ids[0]);
    await after.close();
  });
});
