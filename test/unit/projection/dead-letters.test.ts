/** Dead letters are about events that a projection reads anyway; who wants them asks for them. */
import { expect, test } from 'vitest';
import type { LogName } from '../../../src/event/log-name.ts';
import { project } from '../../../src/projection/project.ts';
import { react } from '../../../src/projection/react.ts';
import { testStore } from '../../../src/testing/test-store.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import { type } from '../../../src/typed/standard-schema.ts';

const events = defineEvents({ Said: type<string>() });

async function store() {
  const opened = testStore();
  await opened.log.append('dead-letter:mail' as LogName, [{ type: 'DeadLettered', payload: {} }]);
  await opened.log.append('room:1' as LogName, [{ type: 'Said', payload: 'hello' }]);
  return opened;
}

test('a projection of all logs passes over them, although they are not defined', async () => {
  const opened = await store();
  const said = project(opened, {
    ...{ name: 'said', events, initial: () => ({ count: 0 }) },
    on: { Said: (row) => ({ count: row.count + 1 }) },
  });
  await said.caughtUp();
  expect(await said.get('room:1')).toEqual({ count: 1 });
  await said.stop();
  await opened.close();
});

test('a reaction does, too, unless it asks for them', async () => {
  const opened = await store();
  const told: string[] = [];
  const tell = (event: { readonly type: string }) => {
    told.push(event.type);
  };
  const all = react(opened, { name: 'all', each: tell });
  await all.caughtUp();
  expect(told).toEqual(['Said']);
  const category = 'dead-letter';
  const dead = react(opened, { name: 'dead', category, each: tell });
  await dead.caughtUp();
  expect(told).toEqual(['Said', 'DeadLettered']);
  await Promise.all([all.stop(), dead.stop()]);
  await opened.close();
});
