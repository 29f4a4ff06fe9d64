/** What a client is told of messages that never became operations. */
import type { MillraceError } from '../../event/error.ts';
import type { KnownCode } from '../../protocol/error-codes.ts';
import { protocolError } from '../../protocol/problem.ts';
import type { GatewayLimits } from '../limits/limits.ts';
import type { Unreadable } from './socket.ts';

type MessageLimits = Pick<GatewayLimits, 'maxFrameBytes'>;

const BROKEN_FRAME = ['invalid_frame', 'the bytes break the WebSocket protocol'] as const;
const BROKEN: Record<number, readonly [KnownCode, string]> = {
  1007: ['invalid_utf8', 'text messages must be valid UTF-8'],
  1008: ['invalid_frame', 'the message comes in too many pieces'],
};

/** A message that came whole, and that nobody looks into. */
export function unreadable(why: Unreadable, limits: MessageLimits): MillraceError {
  if (why === 'frame_too_large') return tooLarge(limits);
  return protocolError('binary_frame', 'binary messages are not spoken here; send text');
}

/** What breaks the protocol, by the code that the socket is closed with. */
export function brokenBy(closeCode: number, limits: MessageLimits): MillraceError {
  if (closeCode === 1009) return tooLarge(limits);
  const [code, message] = BROKEN[closeCode] ?? BROKEN_FRAME;
  return protocolError(code, message);
}

function tooLarge({ maxFrameBytes }: MessageLimits): MillraceError {
  return protocolError(
    'frame_too_large',
    `a message must be at most ${maxFrameBytes} bytes; append larger events over HTTP`,
  );
}
