/** Definitions as they are looked up, once the rules for them have been checked. */
import { InvalidInput } from '../event/error.ts';
import type { DefinitionMap, EventDefinition, Upcast, VersionedEvent } from './definition.ts';
import { isSchema, type StandardSchema, takesAnything } from './standard-schema.ts';

/** One event type. */
export interface EventRule {
  readonly type: string;
  /** Undefined where anything is taken. */
  readonly schema: StandardSchema | undefined;
  readonly version: number;
  /** The step from version n to n + 1 is at n - 1. */
  readonly upcasts: readonly Upcast[];
  readonly formerly: readonly string[];
}

/** @throws InvalidInput naming the definition that breaks a rule */
export function rulesFrom(definitions: DefinitionMap): EventRule[] {
  if (typeof definitions !== 'object' || definitions === null) {
    throw new InvalidInput('definitions', 'must be an object of event types');
  }
  const rules = Object.entries(definitions).map(([type, definition]) => ruleFrom(type, definition));
  const names = new Set(rules.map(({ type }) => type));
  for (const { type, formerly } of rules) {
    for (const name of formerly) {
      if (names.has(name)) {
        throw new InvalidInput(`${type}.formerly`, `has ${name}, which is a name already`);
      }
      names.add(name);
    }
  }
  return rules;
}

function ruleFrom(type: string, definition: EventDefinition): EventRule {
  const {
    schema,
    version = 1,
    upcast = {},
    formerly = [],
  } = isSchema(definition)
    ? ({ schema: definition } satisfies VersionedEvent)
    : ((definition ?? {}) as VersionedEvent);
  if (!isSchema(schema)) {
    throw new InvalidInput(
      type,
      'must be a Standard Schema (https://standardschema.dev), type<Payload>(), or an object with such a schema',
    );
  }
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new InvalidInput(`${type}.version`, 'must be a whole number from 1');
  }
  return {
    type,
    schema: takesAnything(schema) ? undefined : schema,
    version,
    upcasts: stepsTo(version, upcast, `${type}.upcast`),
    formerly,
  };
}

function stepsTo(
  version: number,
  upcast: Readonly<Record<number, Upcast>>,
  field: string,
): Upcast[] {
  const beyond = Object.keys(upcast).find((from) => !(Number(from) >= 1 && Number(from) < version));
  if (beyond !== undefined) {
    throw new InvalidInput(
      field,
      `has a step from ${beyond}, but the event is at version ${version}; raise its version`,
    );
  }
  return Array.from({ length: version - 1 }, (_, index) => {
    const step = upcast[index + 1];
    if (typeof step === 'function') return step;
    throw new InvalidInput(
      field,
      `must have a function ${index + 1} that turns version ${index + 1} into ${index + 2}`,
    );
  });
}
