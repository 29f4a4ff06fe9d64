/** The example `tasks`, built for production: what two people see of each other's tasks. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { expect, test } from 'vitest';
import { root } from '../e2e/command.ts';
import { eventually } from '../support/eventually.ts';
import { World } from './support/world.ts';

async function builtFiles(): Promise<Record<string, string>> {
  const example = join(root, 'examples', 'tasks');
  const options = { root: example, configFile: false, logLevel: 'error' } as const;
  const built = (await build({ ...options, build: { write: false } })) as Rolldown.RolldownOutput;
  const files = built.output.map((file) => [
    file.fileName === 'index.html' ? '/' : `/${file.fileName}`,
    file.type === 'chunk' ? file.code : String(file.source),
  ]);
  return Object.fromEntries(files);
}

async function add(page: Page, title: string): Promise<void> {
  await page.getByLabel('New task').fill(title);
  await page.keyboard.press('Enter');
}

function titles(page: Page): Promise<string[]> {
  const fields = page.getByLabel(/^Title of/);
  return fields.evaluateAll((all) => all.map((field) => (field as HTMLInputElement).value));
}

async function shows(page: Page, expected: readonly string[]): Promise<void> {
  await eventually(async () => expect(await titles(page)).toEqual(expected), { timeout: 20_000 });
}

test('two devices share a list, over an absence with a reload', { timeout: 120_000 }, async () => {
  await using world = await World.start([], await builtFiles());
  await using here = await world.place();
  await using there = await world.place();
  const tabs = [
    await here.device.open(`${here.front.origin}/?account=ada`),
    await there.device.open(`${there.front.origin}/?account=bob`),
  ] as const;
  const [ada, bob] = [tabs[0].page, tabs[1].page];
  await ada.getByText('Nothing to do yet').waitFor();

  await add(ada, 'Milk');
  await add(bob, 'Bread');
  await eventually(async () => expect((await titles(ada)).length).toBe(2));
  await shows(bob, await titles(ada));
  const before = await titles(bob);

  await world.gateway.kill();
  await add(ada, 'Tea');
  await add(ada, 'Cake');
  await ada.getByText('2 changes waiting').waitFor();
  await ada.reload();
  await ada.getByText('offline, 2 changes waiting').waitFor();
  await shows(ada, [...before, 'Tea', 'Cake']);
  await add(bob, 'Tea');
  await bob.getByText('1 change waiting').waitFor();

  // Both have added tea: whoever comes second is told.
  await world.gateway.start();
  await eventually(
    async () => {
      const refusals = await Promise.all(
        [ada, bob].map((page) => page.getByText('“Tea” is on the list already.').count()),
      );
      expect(refusals.reduce((sum, count) => sum + count)).toBe(1);
      expect((await titles(ada)).toSorted()).toEqual([...before, 'Cake', 'Tea'].toSorted());
      expect(await titles(bob)).toEqual(await titles(ada));
    },
    { timeout: 30_000 },
  );
  await Promise.all([ada, bob].map((page) => page.getByText('live', { exact: true }).waitFor()));
  expect(tabs.flatMap(({ errors }) => errors)).toEqual([]);
});
