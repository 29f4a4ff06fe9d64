/** Looks whether a user may do in Redis what is needed, before anything is done. */
import type { Redis } from 'ioredis';
import { MillraceError } from '../../../event/error.ts';
import { callScript, loadScript } from './scripts.ts';

const RIGHTS_SCRIPT = loadScript(new URL('rights.lua', import.meta.url), 0);

/** Every command of ours, as rules of Redis name it, with arguments that fit; @ stands for a key. */
const SAMPLES = {
  dbsize: '',
  del: '@',
  eval: 'return 0',
  evalsha: 'digest 0',
  exists: '@',
  get: '@',
  hdel: '@ field',
  hexists: '@ field',
  hget: '@ field',
  hgetall: '@',
  hlen: '@',
  hmget: '@ field',
  hrandfield: '@',
  hscan: '@ 0',
  hset: '@ field value',
  incrby: '@ 1',
  info: '',
  pexpire: '@ 1',
  ping: '',
  'pubsub|numpat': '',
  'pubsub|numsub': '',
  scan: '0',
  'script|load': 'return',
  set: '@ value',
  time: '',
  type: '@',
  unlink: '@',
  unsubscribe: '',
  xack: '@ group 0-1',
  xadd: '@ * field value',
  xautoclaim: '@ group consumer 1 0',
  xclaim: '@ group consumer 1 0-1',
  xdel: '@ 0-1',
  'xgroup|create': '@ group 0',
  'xgroup|delconsumer': '@ group consumer',
  'xinfo|consumers': '@ group',
  'xinfo|groups': '@',
  'xinfo|stream': '@',
  xlen: '@',
  xpending: '@ group',
  xrange: '@ - +',
  xread: 'STREAMS @ 0',
  xreadgroup: 'GROUP group consumer STREAMS @ >',
  xrevrange: '@ + -',
  xtrim: '@ MAXLEN 1',
  zadd: '@ 1 member',
  zcard: '@',
  zrangebyscore: '@ 0 1',
  zrem: '@ member',
  zscore: '@ member',
} as const;

export type CommandRight = keyof typeof SAMPLES;

/** What a store does in Redis. */
export interface Needs {
  readonly commands: readonly CommandRight[];
  /** Patterns of keys, each with one key of that kind that stands for all of them. */
  readonly keys?: Readonly<Record<string, string>> | undefined;
  /** Keys of the kind that it uses, where it cannot be known which of them it will. */
  readonly examples?: readonly string[] | undefined;
  /** A pattern of channels, and one that stands for all of them: to publish to, and to listen to. */
  readonly channel?: { readonly pattern: string; readonly example: string } | undefined;
}

/** What several need who use one connection. */
export function allNeeds(needs: readonly Needs[]): Needs {
  return {
    commands: [...new Set(needs.flatMap(({ commands }) => commands))],
    keys: Object.assign({}, ...needs.map(({ keys }) => keys)),
    examples: needs.flatMap(({ examples = [] }) => examples),
    channel: needs.find(({ channel }) => channel !== undefined)?.channel,
  };
}

/** What every script needs to be called at all, and every connection. */
const ALWAYS: readonly CommandRight[] = ['eval', 'evalsha', 'ping', 'info'];

/**
 * @throws MillraceError `unsupported_store`, which names what is missing as a rule gives it; fails
 *   as commands do
 */
export async function checkRights(redis: Redis, needs: Needs): Promise<void> {
  const { keys = {}, channel, examples = [] } = needs;
  const asked: (readonly [right: string, command: string])[] = [...ALWAYS, ...needs.commands].map(
    (right) => [right, `${right.replace('|', ' ')} ${SAMPLES[right]}`],
  );
  if (channel !== undefined) {
    asked.push(['publish', `publish ${channel.example} message`]);
    asked.push(['subscribe', `subscribe ${channel.example}`]);
  }
  const commands = asked.map(([, command]) => command);
  const reply = await callScript(
    redis,
    RIGHTS_SCRIPT,
    [],
    [
      ...[commands.length, Object.keys(keys).length, ...commands],
      ...[...Object.values(keys), ...examples],
    ],
  );
  const [unknown, refused, missing] = reply as [number[], number[], number[]];
  const rightOf = (number: number): string => asked[number - 1]![0];
  if (unknown.length > 0) throw unsupported(whyUnknown(unknown.map(rightOf)));
  const rules = namesOfRules(refused.map(rightOf), channel?.pattern);
  rules.push(...missing.map((number) => `~${Object.keys(keys)[number - 1]}`));
  if (rules.length > 0) throw unsupported(whyLacking(rules));
}

/** Who may neither publish to a channel nor listen to it lacks the channel. */
function namesOfRules(refused: readonly string[], channels: string | undefined): string[] {
  const lacksChannel = refused.includes('publish') && refused.includes('subscribe');
  const commands = refused.filter(
    (right) => !lacksChannel || (right !== 'publish' && right !== 'subscribe'),
  );
  const rules = commands.map((right) => `+${right}`);
  if (lacksChannel) rules.push(`&${channels}`);
  return rules;
}

/** @param commands as rules name them */
export function whyUnknown(commands: readonly string[]): string {
  const names = commands.map((command) => command.replace('|', ' ').toUpperCase()).join(', ');
  return `this server does not know ${names}: Millrace needs a Redis with streams and scripts, whose commands have their own names (no rename-command)`;
}

function whyLacking(rules: readonly string[]): string {
  return `Redis does not let this user do all that is needed; missing are ${rules.join(' ')} (ACL SETUSER; docs/operations.md has the whole rule)`;
}

function unsupported(why: string): MillraceError {
  return new MillraceError('unsupported_store', why);
}
