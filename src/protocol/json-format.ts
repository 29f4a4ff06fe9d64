/** The JSON protocol as a wire format: subprotocol `millrace.json.v1`, or `?format=json`. */
import {
  appendedFrame,
  errorFrame,
  eventsFrameShape,
  eventsFrames,
  liveFrame,
  pongFrame,
  resetFrame,
  trimmedFrame,
} from './json-frames.ts';
import { parseOperation } from './json-operations.ts';
import type { WireFormat } from './wire-format.ts';

/** The WebSocket subprotocol that asks for {@link jsonFormat}. */
export const JSON_SUBPROTOCOL = 'millrace.json.v1';

export const jsonFormat: WireFormat = {
  parse: parseOperation,
  events: eventsFrames,
  shape: eventsFrameShape,
  live: liveFrame,
  trimmed: trimmedFrame,
  reset: resetFrame,
  appended: appendedFrame,
  pong: pongFrame,
  error: errorFrame,
};
