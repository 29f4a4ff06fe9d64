/** How events look on a socket: its wire format in the frames of its runtime, or as plain messages. */
import type { Encoded } from '../../live/batch.ts';
import type { WireFormat } from '../../protocol/wire-format.ts';
import { type PieceFormat, SharedPieces } from '../in-pieces.ts';
import type { Wire } from '../outlet.ts';
import type { Framing, GatewaySocket, SocketFrames } from './socket.ts';

const wires = new WeakMap<object, Map<WireFormat, Wire<Encoded>>>();

/** One for each framing and wire format: its identity is what batches share their frames by. */
export function wireOf(framing: Framing<Encoded>, format: WireFormat): Wire<Encoded> {
  let ofFraming = wires.get(framing);
  if (ofFraming === undefined) {
    ofFraming = new Map();
    wires.set(framing, ofFraming);
  }
  let wire = ofFraming.get(format);
  if (wire === undefined) {
    wire = {
      encode: (log, events) => framing.whole(format.events(log, events)),
      pieces: framing === MESSAGES ? undefined : piecesOf(framing, format),
    };
    ofFraming.set(format, wire);
  }
  return wire;
}

function piecesOf(framing: Framing<Encoded>, format: WireFormat): PieceFormat<Encoded> {
  const pieces: PieceFormat<Encoded> = {
    shape: format.shape,
    frame: ({ text, next }, isFirst) => framing.part(text, isFirst, next === undefined),
    shared: (log, events) => new SharedPieces(pieces, log, events[0]!),
  };
  return pieces;
}

/** Messages that go out one after the other. */
interface Messages extends Encoded {
  readonly texts: readonly string[];
}

/** Of a runtime that makes its frames by itself. */
const MESSAGES: Framing<Messages> = {
  whole: (texts) => ({ texts, length: texts.reduce((sum, { length }) => sum + length, 0) }),
  part() {
    throw new Error('a message that is sent whole has no parts');
  },
};

/** A socket that takes messages, as if it wrote frames. */
export class WholeMessages implements SocketFrames<Messages> {
  readonly framing = MESSAGES;
  isOpen = true;
  readonly #socket: Pick<GatewaySocket, 'send'>;

  constructor(socket: Pick<GatewaySocket, 'send'>) {
    this.#socket = socket;
  }

  write({ texts }: Messages): void {
    for (const text of texts) this.#socket.send(text);
  }

  writeAtOnce(messages: Messages): boolean {
    this.write(messages);
    return true;
  }
}
