/** How we talk to Redis: which options, how to reconnect, and what a failure means. How it begins: opening.ts. */
import { Redis } from 'ioredis';
import type { Patience } from './connection-options.ts';
import { watchLiveness } from './liveness.ts';

const FIRST_RECONNECT_DELAY = 50;
const LONGEST_RECONNECT_DELAY = 2_000;
/** After our end of a connection, how long the other side has to end it too. */
const DISCONNECT_TIMEOUT = 100;
/** While Redis loads its data it is asked again this often, so that its silence means something. */
export const LOADING_INTERVAL = 1_000;

/**
 * A connection that is not yet open. Nothing is queued or sent again behind our back: a command
 * is written to a live connection or refused, and fails as soon as its connection is lost.
 */
export function createConnection(url: string, name: string, patience: Patience): Redis {
  const options = {
    lazyConnect: true,
    connectionName: `millrace-${name}`,
    // The watch below goes by one time for all of it: ioredis' own ends with the TCP connection.
    connectTimeout: 0,
    disconnectTimeout: DISCONNECT_TIMEOUT,
    maxLoadingRetryTime: LOADING_INTERVAL,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // With 0, ioredis fails what is in flight at every loss; otherwise it would never settle.
    maxRetriesPerRequest: 0,
    // Until it has been open once, a failure is told instead, and leaves nothing behind.
    retryStrategy: () => null,
    // A replica took over, or this is one now: find the primary, but send nothing twice.
    reconnectOnError: (error: Error): false | 1 => (isReadOnly(error.message) ? 1 : false),
  };
  const connection = new Redis(url, options);
  // Without a listener an error would end the process; what it means is told by the commands.
  connection.on('error', (error: Error & { command?: { name?: string } }) => {
    // ioredis would go on with database 0, where nothing of ours is. While it is opened for the first
    // time, what the server says of itself tells more: see opening.ts.
    const isOpening = connection.options.retryStrategy !== reconnectDelay;
    if (error.command?.name === 'select' && !isOpening) connection.disconnect(true);
  });
  watchLiveness(connection, patience);
  return connection;
}

/** Milliseconds before attempt number `attempt` (from 1) to connect again, spread so that not all clients come at once. */
export function reconnectDelay(attempt: number): number {
  const longest = Math.min(LONGEST_RECONNECT_DELAY, FIRST_RECONNECT_DELAY * 2 ** (attempt - 1));
  return longest / 2 + (Math.random() * longest) / 2;
}

/** What happened to a command, as far as it can be known. */
export type Failure =
  /** It never left the process. */
  | 'not_sent'
  /** The server has forgotten the script; nothing ran. */
  | 'no_script'
  /** The server answered that it would not. */
  | 'refused'
  /** It was sent, and the connection was lost before an answer. */
  | 'unanswered';

/** Tells apart why a command failed. */
export function failureOf(error: unknown): Failure {
  const { name, message } = error as Error;
  if (name === 'ReplyError') return message.startsWith('NOSCRIPT') ? 'no_script' : 'refused';
  return message.startsWith("Stream isn't writeable") ? 'not_sent' : 'unanswered';
}

/** Whether the server answered that a key holds something else than the command is for. */
export function isWrongType(error: unknown): boolean {
  return failureOf(error) === 'refused' && /\bWRONGTYPE\b/.test((error as Error).message);
}

/** Whether a server says that it is a replica, directly or in the words of a script. */
export function isReadOnly(reason: string): boolean {
  return /\bREADONLY\b/.test(reason);
}

/** Where a connection was tried: of a name with several addresses, the first. */
function placeOf(error: unknown): string {
  const { errors: [first] = [error] } = error as { errors?: unknown[] };
  const { address, port } = first as { address?: string; port?: number };
  if (address === undefined) return 'there';
  if (port === undefined) return `at ${address}`;
  return `at ${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** One line for people about a failure; never holds what was sent. */
export function reasonOf(error: unknown): string {
  const { message, code, name } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED')
    return `connections are refused ${placeOf(error)}; is Redis running?`;
  if (name === 'MaxRetriesPerRequestError') return 'the connection to Redis was lost';
  return message?.split('\n')[0] || code || 'unknown reason';
}
