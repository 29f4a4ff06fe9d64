/** Who may import whom. The arrows only point down; the cycles are the linter's business. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src', import.meta.url));

interface Layer {
  /** Folders of src/ besides its own; `index` is what lies in src/ itself. */
  readonly ours: readonly string[];
  /** Packages, and `node:` for all that Node brings along. */
  readonly theirs: readonly string[];
}

/** What keeps events, as interfaces and rules: no store is known here. */
const CONTRACTS = ['event', 'log', 'feed', 'records', 'read-models', 'work-queues'];
const STORES = ['stores/redis', 'stores/embedded', 'stores/memory'];
/** The rooms of the gateway; all but `gateway/node` are portable. */
const GATEWAY = [
  'gateway',
  'gateway/identity',
  'gateway/limits',
  'gateway/sockets',
  'gateway/http',
];
/** What a client may know of ours besides itself: the wire protocol and the pure folders. */
const CLIENT = [
  'client',
  'client/connection',
  'client/outbox',
  'client/logs',
  'client/views',
  'client/tabs',
  'client/indexeddb',
];
const OF_CLIENTS = [...CLIENT, 'decider', 'typed', 'protocol', 'metrics', 'event'];
const SERVED = ['accounts', 'live', 'log', 'metrics', 'records', 'event', 'protocol'];
const APPLICATION = ['accounts', 'decider', 'decider/handling', 'typed', 'live', 'projection'];

/** The most specific folder that a file is in decides. */
const LAYERS: Readonly<Record<string, Layer>> = {
  event: { ours: [], theirs: [] },
  protocol: { ours: ['event'], theirs: [] },
  metrics: { ours: ['event'], theirs: [] },
  typed: { ours: ['event', 'metrics'], theirs: [] },
  decider: { ours: ['event', 'metrics', 'typed'], theirs: [] },

  log: { ours: ['event', 'feed'], theirs: [] },
  feed: { ours: ['event', 'log'], theirs: [] },
  records: { ours: ['event'], theirs: [] },
  'read-models': { ours: ['event'], theirs: [] },
  'work-queues': { ours: ['event', 'feed'], theirs: [] },

  'stores/memory': { ours: CONTRACTS, theirs: [] },
  'stores/redis': { ours: [...CONTRACTS, 'metrics', 'stores'], theirs: ['ioredis', 'node:'] },
  'stores/embedded': {
    ours: [...CONTRACTS, 'metrics', 'stores'],
    theirs: ['lmdb', 'fs-native-extensions', 'node:'],
  },
  stores: { ours: [...CONTRACTS, ...STORES, 'metrics'], theirs: [] },

  live: { ours: ['event', 'log', 'metrics', 'typed'], theirs: [] },
  accounts: { ours: ['event', 'log', 'metrics', 'records'], theirs: [] },
  'decider/handling': {
    ours: ['event', 'log', 'metrics', 'records', 'typed', 'decider'],
    theirs: ['node:'],
  },
  projection: {
    ours: ['event', 'log', 'feed', 'metrics', 'records', 'read-models', 'typed'],
    theirs: [],
  },
  worker: { ours: ['event', 'log', 'metrics', 'typed', 'work-queues'], theirs: ['node:'] },
  'process-manager': {
    ours: ['event', 'log', 'typed', 'decider', 'decider/handling', 'worker'],
    theirs: [],
  },

  gateway: { ours: [...GATEWAY, ...SERVED], theirs: [] },
  'gateway/identity': { ours: [...GATEWAY, ...SERVED], theirs: ['jose'] },
  'gateway/limits': { ours: [...GATEWAY, ...SERVED], theirs: [] },
  'gateway/sockets': { ours: [...GATEWAY, ...SERVED], theirs: [] },
  'gateway/http': { ours: [...GATEWAY, ...SERVED], theirs: ['hono'] },
  'gateway/node': {
    ours: [...GATEWAY, ...SERVED],
    theirs: ['@hono/node-server', 'ws', 'node:'],
  },

  ...Object.fromEntries(CLIENT.map((room) => [room, { ours: OF_CLIENTS, theirs: [] }])),
  react: { ours: OF_CLIENTS, theirs: ['react'] },

  testing: {
    ours: [...CONTRACTS, 'stores/memory', 'typed', 'decider', 'decider/handling'],
    theirs: ['node:'],
  },
  index: {
    ours: [
      ...[...CONTRACTS, 'stores', ...STORES, ...APPLICATION, 'worker', 'process-manager'],
      ...[...GATEWAY, 'gateway/node', 'metrics', 'protocol'],
    ],
    theirs: [],
  },
  cli: {
    ours: [
      ...['index', ...CONTRACTS, 'stores', ...STORES, 'accounts', 'live', 'projection', 'worker'],
      ...[...GATEWAY, 'gateway/node', 'metrics', 'protocol'],
    ],
    theirs: ['cli-progress', 'commander', 'pino', 'node:'],
  },
};

const IMPORT =
  /^(?:import|export)\s+(?:[\w*{][^'"`;=()]*\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;

function layerOf(path: string): string {
  const folder = path.includes('/') ? dirname(path) : 'index';
  for (let name = folder; name !== '.'; name = dirname(name)) if (name in LAYERS) return name;
  return folder;
}

function trespasses(path: string): string[] {
  const layer = layerOf(path);
  const rules = LAYERS[layer];
  if (rules === undefined) return [`src/${path} is in no layer that this test knows`];
  const text = readFileSync(join(source, path), 'utf8');
  return [...text.matchAll(IMPORT)]
    .map((match) => (match[1] ?? match[2])!)
    .filter((target) => {
      if (!target.startsWith('.')) {
        const name = target.startsWith('node:')
          ? 'node:'
          : target
              .split('/')
              .slice(0, target.startsWith('@') ? 2 : 1)
              .join('/');
        return !rules.theirs.includes(name);
      }
      const inside = relative(source, resolve(source, dirname(path), target)).replaceAll('\\', '/');
      const other = layerOf(inside);
      return other !== layer && !rules.ours.includes(other);
    })
    .map((target) => `src/${path} imports ${target}, which ${layer} may not`);
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => path.replaceAll('\\', '/'));

test('imports only point down', () => {
  expect(files.length).toBeGreaterThan(10);
  expect(files.flatMap(trespasses)).toEqual([]);
});

test('the package depends on what is imported, and on nothing else', () => {
  const { dependencies } = JSON.parse(
    readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
  ) as { readonly dependencies: object };
  const imported = Object.values(LAYERS).flatMap(({ theirs }) => theirs);
  const packages = new Set(imported.filter((name) => name !== 'node:'));
  // React is the user's own, where there is one.
  packages.delete('react');
  expect(Object.keys(dependencies).sort()).toEqual([...packages].sort());
});

const contributing = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');

/** The folders of the map in CONTRIBUTING.md, in its order. */
function mapped(): string[] {
  const map = /## A map of `src\/`[\s\S]*?```\n([\s\S]*?)```/.exec(contributing)![1]!;
  let parent = '';
  return map
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, indent, name] = /^( *)([\w-]+)(?:\/|\.ts) /.exec(line)!;
      if (indent === '') parent = name!;
      const child = `${parent}/${name}`;
      return indent !== '' && child in LAYERS ? child : name!;
    });
}

test('the map in CONTRIBUTING.md has every folder, and arrows point down in it', () => {
  const order = mapped();
  expect([...order].sort()).toEqual(Object.keys(LAYERS).sort());
  const upwards = Object.entries(LAYERS).flatMap(([layer, { ours }]) =>
    ours
      .filter((other) => other.split('/')[0] !== layer.split('/')[0])
      .filter((other) => order.indexOf(other) < order.indexOf(layer))
      .map((other) => `${layer} may import ${other}, which is above it`),
  );
  // The log has a feed, and the feed is of logs.
  expect(upwards.filter((text) => !text.startsWith('feed may import log'))).toEqual([]);
});

test('the first reading in CONTRIBUTING.md stops ten times twice, at files that are there', () => {
  const stops = [...contributing.matchAll(/^\d+\. `(src\/[^`]+)`: /gm)].map((match) => match[1]!);
  expect(stops).toHaveLength(20);
  expect(stops.filter((stop) => !existsSync(join(source, '..', stop)))).toEqual([]);
});
