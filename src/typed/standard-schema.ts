/**
 * The Standard Schema interface, version 1 (https://standardschema.dev): what zod, valibot,
 * arktype and others have in common, so that none of them is a dependency. Only what is used here.
 */

/** A validator of values: it takes an `Input` and answers an `Output`, or issues. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Never there at run time: tells the compiler the two types. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a validation came to: a value, unless there are issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong with a value. */
export interface StandardIssue {
  readonly message: string;
  /** Where in the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type that a schema takes. */
export type SchemaInput<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly input: infer Input } | undefined };
}
  ? Input
  : never;

/** The type that a schema answers. */
export type SchemaOutput<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly output: infer Output } | undefined };
}
  ? Output
  : never;

/** Some schemas (arktype's) are functions. */
export function isSchema(value: unknown): value is StandardSchema {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    '~standard' in value
  );
}

const ANYTHING: StandardSchema = {
  '~standard': { version: 1, vendor: 'millrace', validate: (value) => ({ value }) },
};

/**
 * A payload of which only the compiler knows the type: nothing is validated at run time.
 *
 *     defineEvents({ Closed: type<{ reason: string }>() })
 */
export function type<Payload>(): StandardSchema<Payload> {
  return ANYTHING as StandardSchema<Payload>;
}

/** Whether a schema takes everything, so that asking it is in vain. */
export function takesAnything(schema: StandardSchema): boolean {
  return schema === ANYTHING;
}
