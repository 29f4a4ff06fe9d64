import { onlyTold } from '../event/thrown.ts';

/** What the gateway says about itself. A pino logger fits. Payloads and secrets never go in. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The same logger, whose failures are its own: what it throws harms nobody's request. */
export function guarded(logger: Logger): Logger {
  return {
    debug: onlyTold('logger.debug', (fields, message) => logger.debug(fields, message)),
    info: onlyTold('logger.info', (fields, message) => logger.info(fields, message)),
    warn: onlyTold('logger.warn', (fields, message) => logger.warn(fields, message)),
    error: onlyTold('logger.error', (fields, message) => logger.error(fields, message)),
  };
}
