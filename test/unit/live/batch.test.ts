import { expect, test } from 'vitest';
import { StoredEvent } from '../../../src/event/event.ts';
import { makeEventId } from '../../../src/event/event-id.ts';
import { parseLogName } from '../../../src/event/log-name.ts';
import { Batch, type FrameEncoder } from '../../../src/live/batch.ts';

function countingEncoder(mark: string): FrameEncoder<string> & { calls: number } {
  const encoder = Object.assign(
    () => {
      encoder.calls += 1;
      return mark;
    },
    { calls: 0 },
  );
  return encoder;
}

test('each wire format makes its frame once, in whichever order sockets ask', () => {
  const batch = new Batch(parseLogName('account:1'), [
    new StoredEvent(makeEventId(1, 0), 'T', 'text', 'x'),
  ]);
  const encoders = ['json', 'text', 'stream'].map(countingEncoder);
  for (let round = 0; round < 10; round += 1) {
    expect(encoders.map((encoder) => batch.encoded(encoder))).toEqual(['json', 'text', 'stream']);
  }
  expect(encoders.map(({ calls }) => calls)).toEqual([1, 1, 1]);
});
