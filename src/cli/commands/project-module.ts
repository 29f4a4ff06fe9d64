/** Finding the projections that a module exports. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { asError, codeOf, textOf } from '../../event/thrown.ts';
import { checkDefinition, type ProjectionDefinition } from '../../projection/definition.ts';
import { CommandFailure, EXIT_USAGE } from '../failure.ts';

export type AnyDefinition = ProjectionDefinition<unknown>;

/**
 * Loads an ES module and takes the projection definitions among its exports, alone or in arrays.
 * @throws CommandFailure that says what is wrong with the module
 */
export async function loadDefinitions(module: string): Promise<readonly AnyDefinition[]> {
  const path = resolve(module);
  if (!existsSync(path)) {
    throw new CommandFailure(`There is no file ${path}.`, EXIT_USAGE);
  }
  const exported = await importModule(path);
  const definitions = new Map<object, AnyDefinition>();
  for (const [name, value] of Object.entries(exported)) {
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (looksLikeDefinition(each)) definitions.set(each, checked(each, name, module));
    }
  }
  const found = [...definitions.values()];
  if (found.length === 0) throw new CommandFailure(nothingFound(module, exported), EXIT_USAGE);
  for (const { name } of found) {
    if (found.filter((each) => each.name === name).length > 1) {
      throw new CommandFailure(`${module} exports two projections named ${name}.`, EXIT_USAGE);
    }
  }
  return found;
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    if (codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION') {
      throw new CommandFailure(
        `${path} is no JavaScript that Node can load. Compile it first, or run millrace with a loader: NODE_OPTIONS="--import tsx" millrace project ${path}`,
        EXIT_USAGE,
      );
    }
    throw new CommandFailure(`${path} cannot be loaded: ${asError(error).stack}`, EXIT_USAGE, {
      cause: error,
    });
  }
}

function looksLikeDefinition(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'on' in value && 'initial' in value;
}

function checked(value: object, name: string, module: string): AnyDefinition {
  try {
    checkDefinition(value);
  } catch (error) {
    throw new CommandFailure(
      `The export ${name} of ${module} is no projection: ${textOf(error)}.`,
      EXIT_USAGE,
    );
  }
  return value as AnyDefinition;
}

function nothingFound(module: string, exported: object): string {
  const names = Object.keys(exported);
  return [
    `${module} exports no projection (${names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`}). One looks like this:`,
    '',
    "  import { defineProjection } from 'millrace';",
    '  export const balances = defineProjection({',
    "    name: 'balances',",
    '    initial: () => ({ balance: 0 }),',
    '    on: { Deposited: (state, event) => { state.balance += event.payload.amount; } },',
    '  });',
  ].join('\n');
}
