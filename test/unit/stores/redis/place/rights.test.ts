/** What is asked of Redis when it is opened covers what the scripts do, and the manual grants it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FEED_INDEX_NEEDS } from '../../../../../src/stores/redis/feed/redis-feed-index.ts';
import * as feedScripts from '../../../../../src/stores/redis/feed/scripts.ts';
import { logNeeds } from '../../../../../src/stores/redis/log/log-needs.ts';
import * as logScripts from '../../../../../src/stores/redis/log/scripts.ts';
import type { Script } from '../../../../../src/stores/redis/place/scripts.ts';
import { READ_MODELS_NEEDS } from '../../../../../src/stores/redis/read-models/read-models-needs.ts';
import * as readModelScripts from '../../../../../src/stores/redis/read-models/scripts.ts';
import { recordsNeeds } from '../../../../../src/stores/redis/records/records-needs.ts';
import * as recordScripts from '../../../../../src/stores/redis/records/scripts.ts';
import * as workQueueScripts from '../../../../../src/stores/redis/work-queues/scripts.ts';
import { WORK_QUEUES_NEEDS } from '../../../../../src/stores/redis/work-queues/work-queues-needs.ts';

const ASKED = [
  [
    'log and feed',
    { ...logScripts, ...feedScripts },
    [...logNeeds(0).commands, ...FEED_INDEX_NEEDS.commands, 'publish'],
  ],
  ['records', recordScripts, recordsNeeds().commands],
  ['read models', readModelScripts, READ_MODELS_NEEDS.commands],
  ['work queues', workQueueScripts, WORK_QUEUES_NEEDS.commands],
] as const;

const CONTAINERS = ['xinfo', 'xgroup', 'pubsub', 'script'];

/** Commands that stand by their names in these scripts, as Redis gets them. */
function commandsIn(scripts: readonly Script[]): Set<string> {
  const found = new Set<string>();
  for (const { source } of scripts) {
    const calls = source.matchAll(/(?:call|attempt|pcall)\(\s*'([A-Za-z]+)'(?:,\s*'([A-Z]+)')?/g);
    for (const [, command, word] of calls) {
      const name = command!.toLowerCase();
      found.add(CONTAINERS.includes(name) ? `${name}|${word!.toLowerCase()}` : name);
    }
  }
  return found;
}

test.each(ASKED)('%s: every command of its scripts is asked about', (_name, scripts, asked) => {
  const used = commandsIn(Object.values(scripts));
  expect(used.size).toBeGreaterThan(2);
  expect([...used].filter((command) => !(asked as readonly string[]).includes(command))).toEqual(
    [],
  );
});

test('the user of the manual has all that is asked about', () => {
  const manual = readFileSync(
    new URL('../../../../../docs/operations.md', import.meta.url),
    'utf8',
  );
  const rule = /^ACL SETUSER millrace .*$/m.exec(manual)![0].split(' ');
  const asked = ASKED.flatMap(([, , commands]) => [...commands]);
  const missing = asked.filter(
    (command) => !rule.includes(`+${command}`) && !rule.includes(`+${command.split('|')[0]}`),
  );
  expect(missing).toEqual([]);
});
