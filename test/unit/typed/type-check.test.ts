/**
 * Wrong events are errors of the compiler. `test/types/` says so with `@ts-expect-error` and is part
 * of the type check; this makes sure of that, and that the messages can be read.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
// Inside the checkout, so that imports are found as anywhere in it.
const folder = mkdtempSync(join(root, 'test/unit/typed/.type-check-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tsc(...args: string[]): string[] {
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', ...args],
    { cwd: root, encoding: 'utf8' },
  );
  return stdout.split('\n').filter((line) => line !== '');
}

function check(source: string): string[] {
  writeFileSync(join(folder, 'source.ts'), source);
  const config = {
    extends: join(root, 'tsconfig.json'),
    include: ['source.ts', join(root, 'src/**/*.d.ts')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  return tsc('-p', folder).map((line) => line.replace(/^\S*source\.ts/, 'source.ts'));
}

const DEFINITIONS = `
import * as millrace from '../../../../src/index.ts';
const { decider, defineEvents, type } = millrace;
export { decider };
const bank = defineEvents({ Deposited: type<{ amount: number }>(), Closed: type<{ reason: string }>() });
`;

it('takes right events', () => {
  expect(check(`${DEFINITIONS}bank.create('Deposited', { amount: 1 });`)).toEqual([]);
});

it('refuses wrong events, in words that show what is wrong', () => {
  const messages = check(`${DEFINITIONS}
bank.create('Depositd', { amount: 1 });
bank.create('Deposited', { amount: '1' });
export const account = decider({
  ...{ name: 'account', events: bank, initial: { balance: 0 } },
  evolve: (state) => state,
  decide: (amount: number) => [{ type: 'Closed', payload: { amount } }],
});`);
  const text = messages.join('\n');
  expect(messages.filter((line) => line.startsWith('source.ts')).slice(0, 2)).toEqual([
    `source.ts(7,13): error TS2345: Argument of type '"Depositd"' is not assignable to parameter of type '"Closed" | "Deposited"'.`,
    `source.ts(8,28): error TS2322: Type 'string' is not assignable to type 'number'.`,
  ]);
  expect(messages.filter((line) => line.startsWith('source.ts')).length).toBe(3);
  expect(text).toContain('source.ts(12,3): error TS2322');
  expect(text).toContain(
    `Property 'reason' is missing in type '{ amount: number; }' but required in type '{ reason: string; }'`,
  );
});

it('says why a payload cannot be stored', () => {
  const [message] = check(
    `${DEFINITIONS}export { bank };
export const days = defineEvents({ Opened: type<{ day: Date }>() });`,
  );
  expect(message).toMatch(/^source\.ts\(7,36\): error TS2322: /);
  expect(message).toContain('JSON does not give this payload back as it is: store dates');
});

it('is applied to test/types', () => {
  const files = tsc('-p', '.', '--listFilesOnly');
  for (const name of ['typed-events', 'deciders']) {
    expect(files.some((file) => file.endsWith(`test/types/${name}.ts`))).toBe(true);
  }
});
