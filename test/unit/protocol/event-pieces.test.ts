import { expect, it, test } from 'vitest';
import { StoredEvent } from '../../../src/event/event.ts';
import type { EventId } from '../../../src/event/event-id.ts';
import { accountLog } from '../../../src/event/log-name.ts';
import { encodeEvent } from '../../../src/protocol/event-json.ts';
import {
  type EventShape,
  eventShape,
  firstPlace,
  pieceAt,
} from '../../../src/protocol/event-pieces.ts';
import { jsonFormat } from '../../../src/protocol/json-format.ts';
import { textFormat } from '../../../src/protocol/text.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const LOG = accountLog('1');
const ID = '5-1' as EventId;

function pieces(event: StoredEvent, shape: EventShape): string[] {
  const all: string[] = [];
  for (let place: ReturnType<typeof pieceAt>['next'] = firstPlace(shape); place !== undefined; ) {
    const piece = pieceAt(place, event);
    all.push(piece.text);
    place = piece.next;
  }
  return all;
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7) % 256);
}

const events: [string, StoredEvent][] = [
  ['no payload at all', new StoredEvent(ID, 'T', 'text', '')],
  ['a short text', new StoredEvent(ID, 'T"', 'text', 'a"b\\', '{"a":1}')],
  ['six bytes a character', new StoredEvent(ID, 'T', 'text', '\u0001'.repeat(100_000))],
  ['some of them', new StoredEvent(ID, 'T', 'text', `${'x'.repeat(20_000)}\u0001`.repeat(9))],
  ['pairs at every cut', new StoredEvent(ID, 'T', 'text', `x${'🎉'.repeat(50_000)}`)],
  ['half of a pair', new StoredEvent(ID, 'T', 'text', `${'x'.repeat(24_575)}\ud83c`)],
  ['halves alone', new StoredEvent(ID, 'T', 'text', '\ud83c'.repeat(30_000))],
  ['ends of lines alone', new StoredEvent(ID, 'T', 'text', '\r'.repeat(60_000))],
  ['lines', new StoredEvent(ID, 'T', 'text', 'a\r\n'.repeat(40_000))],
  ['JSON', new StoredEvent(ID, 'T', 'json', JSON.stringify(['é'.repeat(60_000)]), '{}')],
  ['what claims to be JSON', new StoredEvent(ID, 'T', 'json', '{"'.repeat(30_000))],
  ['meta that is none', new StoredEvent(ID, 'T', 'text', 'x', 'none')],
  ...[0, 1, 2, 3, 24_575, 24_576, 24_577, 100_000].map((length): [string, StoredEvent] => [
    `${length} bytes`,
    new StoredEvent(ID, 'T', 'bytes', bytes(length), '{"a":"b"}'),
  ]),
];

test.each(events)('joined, the pieces are what is written at once: %s', (_what, event) => {
  expect(pieces(event, eventShape(event)).join('')).toBe(encodeEvent(event));
  for (const format of [jsonFormat, textFormat]) {
    expect([pieces(event, format.shape(LOG, event)).join('')]).toEqual(format.events(LOG, [event]));
  }
});

it('writes pieces of about the same length, whatever is in the event', () => {
  for (const [, event] of events) {
    for (const piece of pieces(event, eventShape(event))) {
      expect(Buffer.byteLength(piece)).toBeLessThan(98_304 + 100);
    }
  }
});

it('cuts no character and no end of a line', () => {
  const { next: random, seed } = SeededRandom.fromEnvironment();
  const parts = ['\r', '\n', '\r\n', '🎉', 'é', 'x', '\u0001', '"', '\\', 'y'.repeat(1_000)];
  for (let round = 0; round < 30; round += 1) {
    let text = '';
    while (text.length < 120_000) text += parts[Math.floor(random() * parts.length)];
    const event = new StoredEvent(ID, 'T', 'text', text);
    const written = pieces(event, textFormat.shape(LOG, event));
    expect(written.join(''), `seed ${seed}`).toBe(textFormat.events(LOG, [event])[0]);
    for (const [index, piece] of written.entries()) {
      const splitsLine = piece.endsWith('\r') && written[index + 1]?.startsWith('\n') === true;
      expect(splitsLine, `seed ${seed}`).toBe(false);
      expect(piece.isWellFormed(), `seed ${seed}`).toBe(true);
    }
  }
});
