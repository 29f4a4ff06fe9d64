/**
 * Where settings come from: a flag wins over the environment, the environment over `.env`, and that
 * over the default.
 */
import { parseEnv } from 'node:util';
import { BadValue } from '../failure.ts';
import { checkAccess } from './check-access.ts';
import type { Setting } from './setting.ts';
import { SETTINGS, type Settings } from './settings.ts';
import type { ValueKind } from './values.ts';

/** What was typed, by flag name without the dashes: `true` for a switch, an array if repeatable. */
export type Flags = Readonly<Record<string, string | true | readonly string[] | undefined>>;
export type Variables = Readonly<Record<string, string | undefined>>;

/** Where values may come from, the strongest first. */
export interface Sources {
  readonly flags: Flags;
  readonly environment: Variables;
  /** The text of `.env`, if there is one. */
  readonly dotEnv?: string | undefined;
}

/**
 * Puts the settings together.
 * @throws CommandFailure (exit code 2) that names the setting, where it came from and what it takes.
 */
export function resolveSettings(sources: Sources): Settings {
  const resolved = Object.fromEntries(
    Object.entries<Setting>(SETTINGS).map(([name, setting]) => [name, resolve(setting, sources)]),
  ) as unknown as Settings;
  checkAccess(resolved);
  return resolved;
}

/**
 * One setting alone, for commands that need no others.
 * @throws CommandFailure as {@link resolveSettings}
 */
export function resolveSetting<Name extends keyof Settings>(
  name: Name,
  sources: Sources,
): Settings[Name] {
  return resolve(SETTINGS[name], sources) as Settings[Name];
}

function resolve(setting: Setting, { flags, environment, dotEnv }: Sources): unknown {
  const variables: Variables = dotEnv === undefined ? {} : parseEnv(dotEnv);
  const given = [
    ...fromFlag(setting, flags),
    ...fromVariables(setting, environment, ''),
    ...fromVariables(setting, variables, ' in .env'),
  ][0];
  return given?.() ?? valueWithout(setting);
}

// Only the strongest source is read: what it overrules may be as wrong as it likes.
type Given = () => unknown;

function fromFlag(setting: Setting, flags: Flags): Given[] {
  const value = setting.flag === undefined ? undefined : flags[setting.flag];
  if (value === undefined) return [];
  if (value === true) return [() => true];
  const texts = typeof value === 'string' ? [value] : value;
  return [() => read(setting, setting.kind, `--${setting.flag}`, texts)];
}

function fromVariables(setting: Setting, variables: Variables, where: string): Given[] {
  return setting.variables
    .filter((name) => (variables[name] ?? '').trim() !== '')
    .map((name) => () => {
      const text = variables[name]!.trim();
      const texts = setting.repeatable ? text.split(',').map((item) => item.trim()) : [text];
      return read(setting, setting.variableKinds?.[name] ?? setting.kind, `${name}${where}`, texts);
    });
}

function read(
  setting: Setting,
  kind: ValueKind<unknown>,
  source: string,
  texts: readonly string[],
): unknown {
  const values = texts.map((text) => {
    const value = text === '' ? undefined : kind.parse(text);
    if (value === undefined) throw new BadValue(source, kind.takes, text);
    return value;
  });
  return setting.repeatable ? values : values[values.length - 1];
}

function valueWithout(setting: Setting): unknown {
  if (setting.repeatable) return [];
  if (setting.fallback !== undefined) return setting.kind.parse(setting.fallback);
  return setting.placeholder === undefined || setting.switch ? false : undefined;
}
