/** Where the log of `millrace serve` goes: JSON lines on standard error. */
import { type Logger, pino } from 'pino';
import type { LogLevel } from './settings/settings.ts';

/**
 * Not pino's own destination: when whoever read our standard error is gone, that one tries to
 * write its last lines again and again, and the process never ends.
 */
export function createLogger(level: LogLevel): Logger {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line) => process.stderr.write(line) },
  );
}
