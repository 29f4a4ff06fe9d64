/** The wire formats, by the name that crosses the process boundary. */
import { CENTRIFUGE_FORMAT } from './centrifuge-format.ts';
import { MILLRACE_FORMAT } from './millrace-format.ts';
import type { WireFormat, WireFormatName } from './wire-format.ts';

export const WIRE_FORMATS: Readonly<Record<WireFormatName, WireFormat>> = {
  millrace: MILLRACE_FORMAT,
  centrifuge: CENTRIFUGE_FORMAT,
};
