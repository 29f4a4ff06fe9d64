/**
 * The settings of `millrace serve`: which there are, where they come from, what they may be.
 * A flag wins over the environment, the environment over `.env`, and that over the default.
 */
import { isIP } from 'node:net';
import { parseEnv } from 'node:util';
import { DEFAULT_EVENT_LIMITS } from '../event/event.ts';
import { DEFAULT_GATEWAY_LIMITS } from '../gateway/limits.ts';
import { BadValue, CommandFailure, EXIT_USAGE } from './failure.ts';
import { redisUrl, type StoreChoice, storeChoice } from './store-choice.ts';
import {
  duration,
  hostName,
  oneOf,
  showSize,
  size,
  type ValueKind,
  webOrigin,
  whole,
  yesOrNo,
} from './values.ts';

/** What `millrace serve` runs with. Durations in milliseconds, sizes in bytes. */
export interface Settings {
  readonly store: StoreChoice;
  readonly sweep: number;
  readonly appendWait: number;
  readonly host: string;
  readonly port: number;
  readonly allowOrigin: readonly string[];
  readonly insecure: boolean;
  readonly maxEvent: number;
  readonly maxAppend: number;
  readonly maxFrame: number;
  readonly maxSubscriptions: number;
  readonly logLevel: LogLevel;
}

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One setting, as the flag that sets it and the variables that may do so instead. */
export interface Setting<Value = unknown> {
  readonly flag: string;
  /** What stands for the value in the help; absent for a switch. */
  readonly placeholder?: string;
  readonly group: 'Store:' | 'Network:' | 'Limits:' | 'Other:';
  readonly help: string;
  readonly variables: readonly string[];
  readonly kind: ValueKind<Value>;
  /** For variables that take something else than the flag does. */
  readonly variableKinds?: Readonly<Record<string, ValueKind<Value>>>;
  /** As it would be written; absent when the default is not to have any. */
  readonly fallback?: string;
  /** May be given several times; a variable holds several between commas. */
  readonly repeatable?: boolean;
}

const HOUR = 3_600_000;
const GIGABYTE = 1_073_741_824;

/** All settings, by the name that they have in {@link Settings}. */
export const SETTINGS = {
  store: {
    flag: 'store',
    placeholder: 'folder|url',
    group: 'Store:',
    help: 'a folder for the embedded store, or redis://… / rediss://… for Redis 7 or later',
    variables: ['MILLRACE_STORE', 'REDIS_ENDPOINT'],
    kind: storeChoice,
    variableKinds: { REDIS_ENDPOINT: redisUrl },
    fallback: './millrace-data',
  },
  sweep: {
    flag: 'sweep',
    placeholder: 'duration',
    group: 'Store:',
    help: 'how often Redis is asked for events that others wrote without telling us; 0: never',
    variables: ['MILLRACE_SWEEP'],
    kind: duration(HOUR, 'no sweeps'),
    fallback: '1s',
  },
  appendWait: {
    flag: 'append-wait',
    placeholder: 'duration',
    group: 'Store:',
    help: 'how long an append waits for a Redis that is away before it fails',
    variables: ['MILLRACE_APPEND_WAIT'],
    kind: duration(HOUR, 'not waiting'),
    fallback: '5s',
  },
  host: {
    flag: 'host',
    placeholder: 'host',
    group: 'Network:',
    help: 'the interface to listen on; anything but loopback needs --insecure',
    variables: ['MILLRACE_HOST'],
    kind: hostName,
    fallback: '127.0.0.1',
  },
  port: {
    flag: 'port',
    placeholder: 'port',
    group: 'Network:',
    help: 'the port to listen on; 0: any free one',
    variables: ['PORT'],
    kind: whole(0, 65_535, ' (0: any free port)'),
    fallback: '4000',
  },
  allowOrigin: {
    flag: 'allow-origin',
    placeholder: 'origin',
    group: 'Network:',
    help: 'web pages from here may connect, besides those from loopback; may be repeated; *: all',
    variables: ['MILLRACE_ALLOW_ORIGIN'],
    kind: webOrigin,
    repeatable: true,
  },
  insecure: {
    flag: 'insecure',
    group: 'Network:',
    help: 'allow a --host that others can reach, although anybody may then read and write any log',
    variables: ['MILLRACE_INSECURE'],
    kind: yesOrNo,
  },
  maxEvent: {
    flag: 'max-event',
    placeholder: 'size',
    group: 'Limits:',
    help: 'the largest payload of one event',
    variables: ['MILLRACE_MAX_EVENT'],
    kind: size(1, 64 * 1_048_576),
    fallback: showSize(DEFAULT_EVENT_LIMITS.maxPayloadBytes),
  },
  maxAppend: {
    flag: 'max-append',
    placeholder: 'size',
    group: 'Limits:',
    help: 'all events of one append together',
    variables: ['MILLRACE_MAX_APPEND'],
    kind: size(1, GIGABYTE / 4),
    fallback: showSize(DEFAULT_EVENT_LIMITS.maxAppendBytes),
  },
  maxFrame: {
    flag: 'max-frame',
    placeholder: 'size',
    group: 'Limits:',
    help: 'the largest WebSocket message; larger events go over HTTP',
    variables: ['MILLRACE_MAX_FRAME'],
    kind: size(1_024, 16 * 1_048_576),
    fallback: showSize(DEFAULT_GATEWAY_LIMITS.maxFrameBytes),
  },
  maxSubscriptions: {
    flag: 'max-subscriptions',
    placeholder: 'count',
    group: 'Limits:',
    help: 'how many logs one socket may follow',
    variables: ['MILLRACE_MAX_SUBSCRIPTIONS'],
    kind: whole(1, 100_000),
    fallback: String(DEFAULT_GATEWAY_LIMITS.maxSubscriptions),
  },
  logLevel: {
    flag: 'log-level',
    placeholder: 'level',
    group: 'Other:',
    help: `how much to log, as JSON lines on standard error: ${LOG_LEVELS.join(', ')}`,
    variables: ['MILLRACE_LOG_LEVEL'],
    kind: oneOf(LOG_LEVELS),
    fallback: 'info',
  },
} as const satisfies { readonly [Name in keyof Settings]: Setting<SettingValue<Name>> };

type SettingValue<Name extends keyof Settings> = Settings[Name] extends readonly (infer Item)[]
  ? Item
  : Settings[Name];

/** What was typed, by flag name without the dashes: `true` for a switch, an array if repeatable. */
export type Flags = Readonly<Record<string, string | true | readonly string[] | undefined>>;
export type Variables = Readonly<Record<string, string | undefined>>;

/** Where values may come from, the strongest first. */
export interface Sources {
  readonly flags: Flags;
  readonly environment: Variables;
  /** The text of `.env`, if there is one. */
  readonly dotEnv?: string | undefined;
}

/**
 * Puts the settings together.
 * @throws CommandFailure (exit code 2) that names the setting, where it came from and what it takes.
 */
export function resolveSettings(sources: Sources): Settings {
  const dotEnv: Variables = sources.dotEnv === undefined ? {} : parseEnv(sources.dotEnv);
  const resolved = Object.fromEntries(
    Object.entries<Setting>(SETTINGS).map(([name, setting]) => {
      const given = [
        ...fromFlag(setting, sources.flags),
        ...fromVariables(setting, sources.environment, ''),
        ...fromVariables(setting, dotEnv, ' in .env'),
      ][0];
      return [name, given?.() ?? valueWithout(setting)];
    }),
  ) as unknown as Settings;
  checkExposure(resolved);
  return resolved;
}

// Only the strongest source is read: what it overrules may be as wrong as it likes.
type Given = () => unknown;

function fromFlag(setting: Setting, flags: Flags): Given[] {
  const value = flags[setting.flag];
  if (value === undefined) return [];
  if (value === true) return [() => true];
  const texts = typeof value === 'string' ? [value] : value;
  return [() => read(setting, setting.kind, `--${setting.flag}`, texts)];
}

function fromVariables(setting: Setting, variables: Variables, where: string): Given[] {
  return setting.variables
    .filter((name) => (variables[name] ?? '').trim() !== '')
    .map((name) => () => {
      const text = variables[name]!.trim();
      const texts = setting.repeatable ? text.split(',').map((item) => item.trim()) : [text];
      return read(setting, setting.variableKinds?.[name] ?? setting.kind, `${name}${where}`, texts);
    });
}

function read(
  setting: Setting,
  kind: ValueKind<unknown>,
  source: string,
  texts: readonly string[],
): unknown {
  const values = texts.map((text) => {
    const value = text === '' ? undefined : kind.parse(text);
    if (value === undefined) throw new BadValue(source, kind.takes, text);
    return value;
  });
  return setting.repeatable ? values : values[values.length - 1];
}

function valueWithout(setting: Setting): unknown {
  if (setting.repeatable) return [];
  return setting.fallback === undefined ? false : setting.kind.parse(setting.fallback);
}

/** The gateway asks nobody who they are, so it keeps to this machine unless told otherwise. */
function checkExposure({ host, insecure }: Settings): void {
  if (insecure || isLoopback(host)) return;
  throw new CommandFailure(
    `--host ${host} can be reached from other machines, and the gateway does not ask who connects: ` +
      'anybody could read and write every log. Keep to --host 127.0.0.1, or add --insecure ' +
      'if something in front of it decides who may connect.',
    EXIT_USAGE,
  );
}

function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host.toLowerCase() === 'localhost';
}
