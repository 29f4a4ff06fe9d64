/** What is asked of Redis when it is opened covers what the scripts do, and the manual grants it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FEED_INDEX_NEEDS } from '../../../../../src/stores/redis/feed/redis-feed-index.ts';
import { logNeeds } from '../../../../../src/stores/redis/log/log-needs.ts';
import { READ_MODELS_NEEDS } from '../../../../../src/stores/redis/read-models/read-models-needs.ts';
import { recordsNeeds } from '../../../../../src/stores/redis/records/records-needs.ts';
import { WORK_QUEUES_NEEDS } from '../../../../../src/stores/redis/work-queues/work-queues-needs.ts';

const ASKED = [
  [
    ['log', 'feed'],
    [...logNeeds(0).commands, ...FEED_INDEX_NEEDS.commands, 'publish'],
  ],
  [['records'], recordsNeeds().commands],
  [['read-models'], READ_MODELS_NEEDS.commands],
  [['work-queues'], WORK_QUEUES_NEEDS.commands],
] as const;

const CONTAINERS = ['xinfo', 'xgroup', 'pubsub', 'script'];

const redis = new URL('../../../../../src/stores/redis/', import.meta.url);

/** Commands that stand by their names in the scripts of these folders. */
function commandsIn(folders: readonly string[]): Set<string> {
  const found = new Set<string>();
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(folder, redis)).map((name) => `${folder}/${name}`),
  );
  for (const file of files.filter((name) => name.endsWith('.lua'))) {
    const source = readFileSync(new URL(file, redis), 'utf8');
    const calls = source.matchAll(/(?:call|attempt|pcall)\(\s*'([A-Za-z]+)'(?:,\s*'([A-Z]+)')?/g);
    for (const [, command, word] of calls) {
      const name = command!.toLowerCase();
      found.add(CONTAINERS.includes(name) ? `${name}|${word!.toLowerCase()}` : name);
    }
  }
  return found;
}

test.each(ASKED)('%s: every command of its scripts is asked about', (folders, asked) => {
  const used = commandsIn(folders);
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
  const asked = ASKED.flatMap(([, commands]) => [...commands]);
  const missing = asked.filter(
    (command) => !rule.includes(`+${command}`) && !rule.includes(`+${command.split('|')[0]}`),
  );
  expect(missing).toEqual([]);
});
