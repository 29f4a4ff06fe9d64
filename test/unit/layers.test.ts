/** Who may import whom. The arrows only point down; the cycles are the linter's business. */
import { readdirSync, readFileSync } from 'node:fs';
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

/** The most specific folder that a file is in decides. */
const LAYERS: Readonly<Record<string, Layer>> = {
  event: { ours: [], theirs: [] },
  protocol: { ours: ['event'], theirs: ['zod'] },
  log: { ours: ['event'], theirs: [] },
  'log/memory': { ours: ['event', 'log'], theirs: [] },
  'log/redis': { ours: ['event', 'log'], theirs: ['ioredis', 'node:'] },
  'log/embedded': {
    ours: ['event', 'log'],
    theirs: ['lmdb', 'fs-native-extensions', 'node:'],
  },
  // The records share errors and connections with the log, and nothing of what a log is.
  records: { ours: ['event', 'log'], theirs: [] },
  'records/memory': { ours: ['event', 'log', 'records'], theirs: [] },
  'records/redis': { ours: ['event', 'log', 'log/redis', 'records'], theirs: ['ioredis', 'node:'] },
  'records/embedded': {
    ours: ['event', 'log', 'log/embedded', 'records'],
    theirs: ['lmdb', 'node:'],
  },
  'read-models': { ours: ['event', 'log'], theirs: [] },
  'read-models/memory': { ours: ['event', 'log', 'read-models'], theirs: [] },
  'read-models/redis': {
    ours: ['event', 'log', 'log/redis', 'read-models'],
    theirs: ['ioredis', 'node:'],
  },
  'read-models/embedded': {
    ours: ['event', 'log', 'log/embedded', 'read-models'],
    theirs: ['lmdb', 'node:'],
  },
  'work-queues': { ours: ['event', 'log'], theirs: [] },
  'work-queues/memory': { ours: ['event', 'log', 'work-queues'], theirs: [] },
  'work-queues/redis': {
    ours: ['event', 'log', 'log/redis', 'work-queues'],
    theirs: ['ioredis', 'node:'],
  },
  'work-queues/embedded': {
    ours: ['event', 'log', 'log/embedded', 'work-queues'],
    theirs: ['node:'],
  },
  live: { ours: ['event', 'log'], theirs: [] },
  projection: { ours: ['event', 'log', 'records', 'read-models', 'typed'], theirs: [] },
  accounts: { ours: ['event', 'log', 'records'], theirs: [] },
  typed: { ours: ['event', 'log', 'live'], theirs: [] },
  decider: { ours: ['event', 'log', 'records', 'typed'], theirs: ['node:'] },
  testing: {
    ours: [
      ...['event', 'log', 'log/memory', 'records', 'records/memory', 'typed', 'decider'],
      ...['read-models', 'read-models/memory', 'work-queues', 'work-queues/memory'],
    ],
    theirs: ['node:'],
  },
  worker: { ours: ['event', 'log', 'typed', 'work-queues'], theirs: ['node:'] },
  'process-manager': { ours: ['event', 'log', 'typed', 'decider', 'worker'], theirs: [] },
  gateway: {
    ours: ['accounts', 'live', 'log', 'records', 'event', 'protocol'],
    theirs: ['hono', '@hono/node-server', 'jose', 'ws', 'zod', 'node:'],
  },
  index: {
    ours: [
      'accounts',
      'decider',
      'typed',
      'gateway',
      'live',
      'log',
      'log/redis',
      'log/embedded',
      'log/memory',
      'records',
      'records/redis',
      'records/embedded',
      'records/memory',
      'projection',
      'read-models',
      'read-models/redis',
      'read-models/embedded',
      'read-models/memory',
      'work-queues',
      'work-queues/redis',
      'work-queues/embedded',
      'work-queues/memory',
      'worker',
      'process-manager',
      'protocol',
      'event',
    ],
    theirs: ['node:'],
  },
  cli: {
    ours: [
      'index',
      'gateway',
      'accounts',
      'live',
      'log',
      'log/redis',
      'log/embedded',
      'records',
      'records/redis',
      'records/embedded',
      'work-queues',
      'worker',
      'projection',
      'protocol',
      'event',
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
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.replaceAll('\\', '/'));

test('imports only point down', () => {
  expect(files.length).toBeGreaterThan(10);
  expect(files.flatMap(trespasses)).toEqual([]);
});
