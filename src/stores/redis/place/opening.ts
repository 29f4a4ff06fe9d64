/** Opening a connection for the first time: is this a Redis that can keep a store, and may we use it? */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { MillraceError } from '../../../event/error.ts';
import { Unavailable } from '../../../event/store-errors.ts';
import { failureOf, LOADING_INTERVAL, reasonOf, reconnectDelay } from './connection.ts';
import { firstWords, speaksTls } from './diagnosis.ts';
import { checkRights, type Needs, whyUnknown } from './rights.ts';
import { checkServer, loadingProgress, parseInfo } from './server-check.ts';

/** How long to wait for a Redis that loads its data, in milliseconds. */
const DEFAULT_LOADING_WAIT = 300_000;

/** Told once that Redis loads its data, and how far it is. */
export type OnLoading = (progress: string) => void;

/**
 * Opens a connection for the first time; while Redis loads its data, waits for it.
 * @param needs what this user must be allowed to do; left out where another connection has asked
 * @throws Unavailable when there is no Redis to be reached, or it is loading for longer than that;
 *   MillraceError (`unsupported_store`) when it is none, or none that can keep a store, or does not
 *   let us in, or does not let this user do what is needed.
 */
export async function openConnection(
  connection: Redis,
  needs?: Needs | undefined,
  loadingWait: number = DEFAULT_LOADING_WAIT,
  onLoading: OnLoading = () => {},
): Promise<void> {
  let reason: Error | undefined;
  const remember = (error: Error): void => {
    reason ??= error;
  };
  connection.on('error', remember);
  try {
    await Promise.all([connection.connect(), looked(connection, loadingWait, onLoading)]);
    // ioredis would go on with database 0.
    if (reason !== undefined) throw reason;
    if (needs !== undefined) await checkRights(connection, needs);
    connection.options.retryStrategy = reconnectDelay;
  } catch (cause) {
    if (connection.status !== 'end') connection.disconnect();
    throw await whyNotOpened(
      cause instanceof MillraceError ? cause : (reason ?? cause),
      connection,
    );
  } finally {
    connection.off('error', remember);
  }
}

/** Looks at what the server says of itself, as soon as it can be asked. */
async function looked(connection: Redis, loadingWait: number, onLoading: OnLoading): Promise<void> {
  await new Promise((resolve) => connection.once('connect', resolve));
  const begun = performance.now();
  for (let isTold = false; ; isTold = true) {
    const info = parseInfo(await connection.info());
    checkServer(info);
    const progress = loadingProgress(info);
    if (progress === undefined) return;
    if (performance.now() - begun > loadingWait) {
      throw new Unavailable(`Redis is still loading its data: ${progress}`);
    }
    if (!isTold) onLoading(progress);
    await sleep(Math.min(LOADING_INTERVAL, loadingWait));
  }
}

/** What the commands are for that open a connection, and the right that they take. */
const PURPOSES: Readonly<Record<string, string>> = {
  select: 'choose its database (+select)',
  info: 'ask what it is (+info)',
  eval: 'run scripts (+eval +evalsha +script|load)',
  evalsha: 'run scripts (+eval +evalsha +script|load)',
  subscribe: 'listen to its channels (+subscribe +unsubscribe &millrace:*)',
  script: 'load its scripts (+script|load)',
};

/** What to tell of a failure of a connection that was open; what trying again mends is `unavailable`. */
export function whyUnusable(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const why =
    failureOf(error) === 'refused' ? whyRefused(reasonOf(error), commandOf(error)) : undefined;
  return why === undefined ? new Unavailable(reasonOf(error)) : unsupported(why);
}

/** The same for one that could not be opened: what else may be there is looked at once more. */
async function whyNotOpened(error: unknown, { options }: Redis): Promise<MillraceError> {
  if (error instanceof MillraceError || failureOf(error) === 'refused') return whyUnusable(error);
  const reason = reasonOf(error);
  if (options.tls) {
    const why = whyNoTls(error) ?? (await whyPlain(error, options));
    return why === undefined ? new Unavailable(reason) : unsupported(why);
  }
  const { code = '' } = error as NodeJS.ErrnoException;
  if (options.path !== undefined || !CUT_SHORT.test(`${code} ${reason}`)) {
    return new Unavailable(reason);
  }
  const heard = await firstWords(options);
  if (heard.startsWith('-')) {
    const answer = heard.slice(1).split('\r\n')[0]!;
    const why = whyRefused(answer, undefined);
    return why === undefined ? new Unavailable(answer) : unsupported(why);
  }
  if (heard !== '' && !/^[+:$*]/.test(heard)) return unsupported(whyNotRedis(heard));
  if (heard === '' && (await speaksTls(options))) return unsupported(WANTS_TLS);
  return new Unavailable(reason);
}

function unsupported(why: string): MillraceError {
  return new MillraceError('unsupported_store', why);
}

/** The other side has ended it, or said what is none of Redis' protocol. */
const CUT_SHORT =
  /^(ECONNRESET|EPIPE)|Connection is closed|RESP|Protocol error|connection to Redis was lost/;

const WANTS_TLS = 'what answers there wants TLS: use rediss:// instead of redis://';
const LACKS_TLS = 'what answers there does not speak TLS: use redis:// instead of rediss://';

function whyNotRedis(heard: string): string {
  // An alert of TLS.
  if (heard.startsWith('\x15\x03')) return WANTS_TLS;
  const looks = /^(HTTP\/|<)/.test(heard) ? ' (it looks like a web server)' : '';
  return `what answers there does not speak the protocol of Redis${looks}; is it the right host and port?`;
}

function commandOf(error: unknown): string | undefined {
  return (error as { command?: { name?: string } }).command?.name?.toLowerCase();
}

/** What Redis answers when it lets nobody in, or not this user, or not to this; undefined when trying again helps. */
function whyRefused(reason: string, command: string | undefined): string | undefined {
  const kind = /^\S+/.exec(reason)?.[0];
  if (kind === 'NOAUTH') {
    return 'Redis asks for a password, and the URL has none: redis://:<password>@host, or redis://<user>:<password>@host';
  }
  if (kind === 'WRONGPASS' || /^ERR invalid password/i.test(reason)) {
    return `Redis does not accept the user and password of the URL (${reason})`;
  }
  if (kind === 'DENIED') {
    return 'Redis is in protected mode: without a password it takes connections from its own machine only; give it one (requirepass, or ACL SETUSER), and say it in the URL';
  }
  if (/^ERR unknown command/i.test(reason)) return whyUnknown([command ?? 'a command']);
  if (kind !== 'NOPERM' && kind !== 'ERR') return undefined;
  const purpose = PURPOSES[command ?? ''];
  if (purpose === undefined && kind === 'ERR') return undefined;
  return `Redis does not let us ${purpose ?? 'do what is needed'}: ${reason}`;
}

/** Certificates that do not fit, or none where one is asked for. */
function whyNoTls(error: unknown): string | undefined {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (/CERTIFICATE_REQUIRED|certificate required/i.test(`${code} ${message}`)) {
    return 'Redis asks for a client certificate, and Millrace has none to show (tls-auth-clients no)';
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return `the certificate of Redis is not accepted (${message}); name the authority that has signed it in NODE_EXTRA_CA_CERTS`;
  }
  return undefined;
}

/** A Redis without TLS may say nothing to what it takes for half of a command. */
async function whyPlain(error: unknown, address: Redis['options']): Promise<string | undefined> {
  if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return undefined;
  return /^[+-]/.test(await firstWords(address)) ? LACKS_TLS : undefined;
}
