/** Large events that several slow clients wait for, while the store comes and goes. */
import { expect, test } from 'vitest';
import { Unavailable } from '../../../src/event/store-errors.ts';
import { LargeEvents } from '../../../src/gateway/large-events.ts';
import { LoopTurns } from '../../../src/gateway/limits/loop-turns.ts';
import { MemoryLog } from '../../../src/stores/memory/log/memory-log.ts';
import { randomLog } from '../../support/names.ts';

test('whoever shares a read still has the event when the one who asked first is gone', async () => {
  const store = new MemoryLog();
  const log = randomLog('room');
  const { ids } = await store.append(log, [{ type: 'Large', payload: 'x'.repeat(100_000) }]);
  let reads = 0;
  let isAway = true;
  const large = new LargeEvents(
    {
      async read(name, options) {
        reads += 1;
        if (isAway) throw new Unavailable('the store is away');
        return store.read(name, options);
      },
    },
    0,
    new LoopTurns(),
  );

  const first = large.get(log, ids[0]!, () => false);
  const second = large.get(log, ids[0]!, () => true);

  await expect(first).rejects.toThrow(Unavailable);
  expect(reads).toBe(1);
  isAway = false;
  expect((await second)?.id).toBe(ids[0]);
});
