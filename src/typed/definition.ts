/** What an application writes down about its events, and the types that it comes to. */
import type { Meta } from '../event/event.ts';
import type { SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.ts';

/** What an upcast is told beside the payload. */
export interface StoredAs {
  /** The type as it is stored: a former name, perhaps. */
  readonly type: string;
  readonly meta: Meta;
}

/**
 * Turns a payload of one version into one of the next. Annotate the parameter with the older
 * shape; the compiler has to believe it.
 */
export type Upcast = { step(payload: unknown, stored: StoredAs): unknown }['step'];

/** An event whose shape or name has changed. */
export interface VersionedEvent<Schema extends StandardSchema = StandardSchema> {
  /** Of the current version. */
  readonly schema: Schema;
  /** The current version, a whole number from 1; written as `meta.version` when above 1. Default 1. */
  readonly version?: number | undefined;
  /** By the version that it starts from: `{ 1: …, 2: … }` for version 3. They are chained. */
  readonly upcast?: Readonly<Record<number, Upcast>> | undefined;
  /** Names that the type had in older events. */
  readonly formerly?: readonly string[] | undefined;
}

/** One event type: a schema, or more to say about it. */
export type EventDefinition = StandardSchema | VersionedEvent;

/** By event type. */
export type DefinitionMap = Readonly<Record<string, EventDefinition>>;

type SchemaOf<Definition> = Definition extends StandardSchema
  ? Definition
  : Definition extends { readonly schema: infer Schema }
    ? Schema
    : never;

/** The payload of an event type as it is read. */
export type PayloadFrom<Definition> = SchemaOutput<SchemaOf<Definition>>;

/** The payload of an event type as it is written. */
export type InputFrom<Definition> = SchemaInput<SchemaOf<Definition>>;
