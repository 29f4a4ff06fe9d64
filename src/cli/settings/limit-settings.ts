/** The settings about how much clients may ask for. */
import { DEFAULT_EVENT_LIMITS, type EventLimits } from '../../event/event.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from '../../gateway/limits/limits.ts';
import type { Setting } from './setting.ts';
import { duration, showDuration, showSize, size, whole } from './values.ts';

export interface LimitSettings {
  readonly maxEvent: number;
  readonly maxAppend: number;
  readonly maxEvents: number;
  readonly maxFrame: number;
  readonly maxValues: number;
  readonly maxHeader: number;
  readonly maxSubscriptions: number;
  readonly appendRate: number;
  readonly appendBurst: number;
  readonly registrationRate: number;
  readonly maxSocketsPerAccount: number;
  readonly maxSocketsPerAddress: number;
  readonly maxConnections: number;
  readonly maxHalfOpen: number;
  readonly headerTimeout: number;
  readonly requestTimeout: number;
}

const QUARTER_GIGABYTE = 268_435_456;
const HOUR = 3_600_000;
const MILLION = 1_000_000;
const NO_LIMIT = ' (0: no limit)';

const defaults = DEFAULT_GATEWAY_LIMITS;

export const LIMIT_SETTINGS = {
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
    kind: size(1, QUARTER_GIGABYTE),
    fallback: showSize(DEFAULT_EVENT_LIMITS.maxAppendBytes),
  },
  maxEvents: {
    flag: 'max-events',
    placeholder: 'count',
    group: 'Limits:',
    help: 'how many events one append may have',
    variables: ['MILLRACE_MAX_EVENTS'],
    kind: whole(1, 100_000),
    fallback: String(DEFAULT_EVENT_LIMITS.maxEventsPerAppend),
  },
  maxFrame: {
    flag: 'max-frame',
    placeholder: 'size',
    group: 'Limits:',
    help: 'the largest WebSocket message; larger events go over HTTP',
    variables: ['MILLRACE_MAX_FRAME'],
    kind: size(1_024, 16 * 1_048_576),
    fallback: showSize(defaults.maxFrameBytes),
  },
  maxValues: {
    flag: 'max-values',
    placeholder: 'count',
    group: 'Limits:',
    help: 'how many JSON values a message or body may hold',
    variables: ['MILLRACE_MAX_VALUES'],
    kind: whole(1_000, 100 * MILLION),
    fallback: String(defaults.maxValues),
  },
  maxHeader: {
    flag: 'max-header',
    placeholder: 'size',
    group: 'Limits:',
    help: 'the address and all headers of a request together',
    variables: ['MILLRACE_MAX_HEADER'],
    kind: size(1_024, 1_048_576),
    fallback: showSize(defaults.maxHeaderBytes),
  },
  maxSubscriptions: {
    flag: 'max-subscriptions',
    placeholder: 'count',
    group: 'Limits:',
    help: 'how many logs one socket may follow',
    variables: ['MILLRACE_MAX_SUBSCRIPTIONS'],
    kind: whole(1, 100_000),
    fallback: String(defaults.maxSubscriptions),
  },
  appendRate: {
    flag: 'append-rate',
    placeholder: 'count',
    group: 'Limits:',
    help: 'appends and other changes a second of one account, over all gateways of a Redis; 0: no limit',
    variables: ['MILLRACE_APPEND_RATE'],
    kind: whole(0, MILLION, NO_LIMIT),
    fallback: String(defaults.appendRate),
  },
  appendBurst: {
    flag: 'append-burst',
    placeholder: 'count',
    group: 'Limits:',
    help: 'appends that an account may make at once after a pause',
    variables: ['MILLRACE_APPEND_BURST'],
    kind: whole(1, MILLION),
    fallback: String(defaults.appendBurst),
  },
  registrationRate: {
    flag: 'registration-rate',
    placeholder: 'count',
    group: 'Limits:',
    help: 'where everybody may register: accounts an hour of one client address; 0: no limit',
    variables: ['MILLRACE_REGISTRATION_RATE'],
    kind: whole(0, MILLION, NO_LIMIT),
    fallback: String(defaults.registrationRate),
  },
  maxSocketsPerAccount: {
    flag: 'max-sockets-per-account',
    placeholder: 'count',
    group: 'Limits:',
    help: 'sockets and event streams of one account, over all gateways of a Redis; 0: no limit',
    variables: ['MILLRACE_MAX_SOCKETS_PER_ACCOUNT'],
    kind: whole(0, MILLION, NO_LIMIT),
    fallback: String(defaults.maxSocketsPerAccount),
  },
  maxSocketsPerAddress: {
    flag: 'max-sockets-per-address',
    placeholder: 'count',
    group: 'Limits:',
    help: 'the same from one client address (see --trust-proxy); 0: no limit',
    variables: ['MILLRACE_MAX_SOCKETS_PER_ADDRESS'],
    kind: whole(0, MILLION, NO_LIMIT),
    fallback: String(defaults.maxSocketsPerAddress),
  },
  maxConnections: {
    flag: 'max-connections',
    placeholder: 'count',
    group: 'Limits:',
    help: 'sockets and event streams of this gateway; 0: no limit',
    variables: ['MILLRACE_MAX_CONNECTIONS'],
    kind: whole(0, MILLION, NO_LIMIT),
    fallback: String(defaults.maxConnections),
  },
  maxHalfOpen: {
    flag: 'max-half-open',
    placeholder: 'count',
    group: 'Limits:',
    help: 'connections that have not made a request yet; beyond, the oldest of them is cut',
    variables: ['MILLRACE_MAX_HALF_OPEN'],
    kind: whole(1, MILLION),
    fallback: String(defaults.maxHalfOpen),
  },
  headerTimeout: {
    flag: 'header-timeout',
    placeholder: 'duration',
    group: 'Limits:',
    help: 'how long the headers of a request may take to come',
    variables: ['MILLRACE_HEADER_TIMEOUT'],
    kind: duration(HOUR),
    fallback: showDuration(defaults.headerTimeout),
  },
  requestTimeout: {
    flag: 'request-timeout',
    placeholder: 'duration',
    group: 'Limits:',
    help: 'how long a whole request may take to come',
    variables: ['MILLRACE_REQUEST_TIMEOUT'],
    kind: duration(HOUR),
    fallback: showDuration(defaults.requestTimeout),
  },
} as const satisfies { readonly [Name in keyof LimitSettings]: Setting<LimitSettings[Name]> };

/** What the gateway is told. */
export function gatewayLimits(settings: LimitSettings): Partial<GatewayLimits> {
  // A body is its events and what JSON adds to them.
  const maxBodyBytes = settings.maxAppend + 1_048_576;
  return {
    maxFrameBytes: settings.maxFrame,
    maxBodyBytes,
    maxBodyBytesTogether: Math.max(defaults.maxBodyBytesTogether, 4 * maxBodyBytes),
    maxValues: settings.maxValues,
    maxHeaderBytes: settings.maxHeader,
    headerTimeout: settings.headerTimeout,
    requestTimeout: settings.requestTimeout,
    maxHalfOpen: settings.maxHalfOpen,
    maxConnections: settings.maxConnections,
    maxSocketsPerAccount: settings.maxSocketsPerAccount,
    maxSocketsPerAddress: settings.maxSocketsPerAddress,
    maxSubscriptions: settings.maxSubscriptions,
    appendRate: settings.appendRate,
    appendBurst: settings.appendBurst,
    registrationRate: settings.registrationRate,
  };
}

/** What the event log is told. */
export function eventLimits({ maxEvent, maxAppend, maxEvents }: LimitSettings): EventLimits {
  return {
    ...DEFAULT_EVENT_LIMITS,
    maxPayloadBytes: maxEvent,
    maxAppendBytes: maxAppend,
    maxEventsPerAppend: maxEvents,
  };
}
