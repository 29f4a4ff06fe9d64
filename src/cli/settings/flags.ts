/** Settings as the flags of a command. */
import { type Command, Option } from 'commander';
import type { Flags } from './resolve-settings.ts';
import type { Setting } from './setting.ts';

export function optionFor(setting: Setting, flag: string): Option {
  const { placeholder, variables, fallback } = setting;
  const notes = [
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    `env: ${variables.join(', ')}`,
  ].join('; ');
  const text = `${setting.help} (${notes})`;
  const value = setting.switch ? ` [${placeholder}]` : ` <${placeholder}>`;
  const option = new Option(`--${flag}${placeholder === undefined ? '' : value}`, text);
  if (setting.repeatable) {
    option.argParser((value, previous: readonly string[] | undefined) => [
      ...(previous ?? []),
      value,
    ]);
  }
  return option.helpGroup(setting.group);
}

/** What was typed, by the names that flags have. */
export function typedFlags(command: Command): Flags {
  return Object.fromEntries(
    command.options.map((option) => [
      option.name(),
      command.getOptionValue(option.attributeName()) as Flags[string],
    ]),
  );
}
