/** The settings of `millrace serve`: which there are, and what they may be. */
import type { TrustProxy } from '../../gateway/identity/forwarded.ts';
import { ACCESS_SETTINGS, type AccessSettings } from './access-settings.ts';
import { LIMIT_SETTINGS, type LimitSettings } from './limit-settings.ts';
import type { Setting } from './setting.ts';
import { redisUrl, type StoreChoice, storeChoice } from './store-choice.ts';
import {
  allowedHost,
  duration,
  hostName,
  oneOf,
  type ValueKind,
  webOrigin,
  whole,
  yesOrNo,
} from './values.ts';

/** What `millrace serve` runs with. Durations in milliseconds, sizes in bytes. */
export interface Settings extends AccessSettings, LimitSettings {
  readonly store: StoreChoice;
  readonly sweep: number;
  readonly appendWait: number;
  readonly host: string;
  readonly port: number;
  readonly allowOrigin: readonly string[];
  readonly trustProxy: TrustProxy;
  readonly allowHost: readonly string[];
  readonly insecure: boolean;
  readonly logLevel: LogLevel;
}

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const HOUR = 3_600_000;

const trustedProxy: ValueKind<TrustProxy> = {
  takes: 'true (also without a value), false, or forwarded',
  parse: (given) => (given.toLowerCase() === 'forwarded' ? 'forwarded' : yesOrNo.parse(given)),
};

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
    help: 'the interface to listen on; without --auth, anything but loopback needs --insecure',
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
    help: 'web pages from here may connect; may be repeated; *: all, but without cookies',
    variables: ['MILLRACE_ALLOW_ORIGIN'],
    kind: webOrigin,
    repeatable: true,
  },
  trustProxy: {
    flag: 'trust-proxy',
    placeholder: 'forwarded',
    switch: true,
    group: 'Network:',
    help: 'a proxy in front writes X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239)',
    variables: ['MILLRACE_TRUST_PROXY'],
    kind: trustedProxy,
  },
  allowHost: {
    flag: 'allow-host',
    placeholder: 'name',
    group: 'Network:',
    help: 'without --auth: a host name to answer to besides localhost; may be repeated; *: all',
    variables: ['MILLRACE_ALLOW_HOST'],
    kind: allowedHost,
    repeatable: true,
  },
  insecure: {
    flag: 'insecure',
    group: 'Network:',
    help: 'without --auth: allow a --host that others can reach, who may then do everything',
    variables: ['MILLRACE_INSECURE'],
    kind: yesOrNo,
  },
  ...ACCESS_SETTINGS,
  ...LIMIT_SETTINGS,
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
