/**
 * What a browser may import of the library, each by the module that it is in: bundled, it brings
 * nothing of Node and no store, and it runs where there is nothing but what browsers have.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext, runInThisContext } from 'node:vm';
import { rolldown } from 'rolldown';
import { describe, expect, test } from 'vitest';
import { decider } from '../../src/decider/decider.ts';
import { defineEvents } from '../../src/typed/define-events.ts';
import { type } from '../../src/typed/standard-schema.ts';

const source = fileURLToPath(new URL('../../src/', import.meta.url));

/** Modules in `src/`, and what is imported from them. */
const FOR_BROWSERS: Readonly<Record<string, readonly string[]>> = {
  'decider/decider': ['decider'],
  'decider/errors': ['CommandIdReused', 'QueueFull', 'StateLost', 'TooManyConflicts'],
  'event/error': ['InvalidInput', 'MillraceError'],
  'event/event': ['DEFAULT_EVENT_LIMITS', 'StoredEvent'],
  'event/event-id': ['compareEventIds', 'isEventId', 'parseEventId', 'ZERO_ID'],
  'event/log-name': ['accountLog', 'parseLogName'],
  'event/store-errors': [
    ...['Closed', 'LogFull', 'OutcomeUnknown', 'ProducerFenced', 'ProducerGap', 'ProgressLost'],
    ...['Unavailable', 'VersionConflict', 'WrongType'],
  ],
  'typed/caused': ['caused'],
  'typed/define-events': ['defineEvents'],
  'typed/errors': ['UnreadableEvent'],
  'typed/standard-schema': ['type'],
  // What a client is made of.
  'protocol/append-request': ['writeAppend'],
  'protocol/appended': ['readAppended'],
  'protocol/error-codes': ['errorCode'],
  'protocol/event-stream': ['readMessage'],
  'protocol/json-frames': ['readFrame'],
  'protocol/json-operations': ['writeOperation'],
  'protocol/page': ['readPage'],
  'protocol/problem': ['httpStatus', 'readProblem'],
  'protocol/server-sent-events': ['ServerSentEventReader'],
  'protocol/start': ['startFields'],
};

/** The package's entries for a page, with what they leave to be found where they run. */
const ENTRIES: Readonly<
  Record<string, { readonly names: readonly string[]; readonly imports: readonly string[] }>
> = {
  'client/client': { names: ['connect', 'OutboxFull', 'Refused'], imports: [] },
  'client/indexeddb/indexeddb': { names: ['indexedDb'], imports: [] },
  'react/react': { names: [], imports: ['react'] },
};

const PURE = ['event', 'metrics', 'protocol', 'typed', 'decider'];

/** What browsers have of what these modules use; `process` and `Buffer` are not among it. */
const WEB = { atob, btoa, console, TextDecoder, TextEncoder };

interface Bundle {
  readonly code: string;
  /** In `src/`. */
  readonly modules: readonly string[];
  /** What would be left to be found where it runs. */
  readonly imports: readonly string[];
}

/** What is not used is kept, so that nothing can hide. */
async function bundled(module: string): Promise<Bundle> {
  const bundle = await rolldown({
    input: `${source}${module}.ts`,
    platform: 'browser',
    treeshake: false,
    logLevel: 'silent',
    external: [/^node:/, /^react$/, /^react\//],
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'bundle' });
  await bundle.close();
  const [chunk] = output;
  const modules = chunk.moduleIds.filter((id) => id.startsWith(source));
  return {
    code: chunk.code,
    modules: modules.map((id) => id.slice(source.length)),
    imports: chunk.imports,
  };
}

function inBrowser(code: string, browser = createContext({ ...WEB })): Record<string, unknown> {
  return runInContext(`${code}\nbundle`, browser) as Record<string, unknown>;
}

describe('a browser may import', () => {
  test.each(Object.entries(FOR_BROWSERS))('%s', async (module, names) => {
    const { code, modules, imports } = await bundled(module);
    expect(imports).toEqual([]);
    expect(code).not.toContain('node:');
    expect(modules).toContain(`${module}.ts`);
    expect(modules.filter((path) => !isPure(path))).toEqual([]);
    expect(Object.keys(inBrowser(code))).toEqual(expect.arrayContaining([...names]));
  });
});

describe('a page may import', () => {
  test.each(Object.entries(ENTRIES))('%s', async (module, { names, imports }) => {
    const bundle = await bundled(module);
    expect([...bundle.imports].sort()).toEqual(imports);
    expect(bundle.code).not.toContain('node:');
    expect(bundle.modules.filter((path) => !isPure(path) && !isOfClients(path))).toEqual([]);
    if (imports.length > 0) return;
    expect(Object.keys(inBrowser(bundle.code))).toEqual(expect.arrayContaining([...names]));
  });

  test('no other entry of the package is for one', () => {
    const { exports } = JSON.parse(readFileSync(`${source}../package.json`, 'utf8')) as {
      readonly exports: Readonly<Record<string, { readonly default?: string }>>;
    };
    const entries = Object.values(exports).flatMap(({ default: path }) =>
      path === undefined ? [] : [path.replace(/^\.\/dist\/|\.js$/g, '')],
    );
    const forServers = ['index', 'testing/testing'];
    expect(entries.sort()).toEqual([...Object.keys(ENTRIES), ...forServers].sort());
  });
});

function isOfClients(path: string): boolean {
  return path.startsWith('client/') || path.startsWith('react/');
}

function isPure(path: string): boolean {
  return PURE.includes(path.split('/')[0]!) && !path.startsWith('decider/handling/');
}

test('would notice', async () => {
  const { imports, modules } = await bundled('decider/handling/handle');
  expect(imports.some((name) => name.startsWith('node:'))).toBe(true);
  expect(modules.every(isPure)).toBe(false);
});

test('all that the library has in these folders is in the list', () => {
  const index = readFileSync(`${source}index.ts`, 'utf8');
  const exported = [...index.matchAll(/^export \{([^}]*)\} from '\.\/([^']+)\.ts';/gm)]
    .filter(([, , module]) => isPure(`${module}.ts`))
    .flatMap(([, names, module]) =>
      names!
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && !name.startsWith('type '))
        .map((name) => `${module}: ${name}`),
    );
  const listed = Object.entries(FOR_BROWSERS).flatMap(([module, names]) =>
    names.map((name) => `${module}: ${name}`),
  );
  expect(exported.length).toBeGreaterThan(20);
  expect(exported.filter((name) => !listed.includes(name))).toEqual([]);
});

test('a decider does its work in a browser, with the version that it has here', async () => {
  const script = `({ defineEvents, type, decider }) => {
    const bank = defineEvents({ Deposited: type() });
    const account = decider({
      name: 'account',
      events: bank,
      initial: { balance: 0 },
      decide: ({ amount }) => bank.create('Deposited', { amount }),
      evolve: ({ balance }, { payload }) => ({ balance: balance + payload.amount }),
    });
    const event = account.decide({ amount: 5 }, account.initial);
    const state = account.evolve(account.initial, event);
    return JSON.stringify([event, state, Object.isFrozen(state), account.version]);
  }`;
  const modules = ['typed/define-events', 'typed/standard-schema', 'decider/decider'];
  const browser = createContext({ ...WEB });
  const there = await Promise.all(
    modules.map(async (module) => inBrowser((await bundled(module)).code, browser)),
  );
  const told = runInContext(script, browser)(Object.assign({}, ...there));
  expect(told).toBe(runInThisContext(script)({ defineEvents, type, decider }));
  expect(JSON.parse(told)).toMatchObject([
    { type: 'Deposited' },
    { balance: 5 },
    true,
    expect.any(String),
  ]);
});
