/** Which payloads come back from a log as they went in: a question that the compiler answers. */
import type { InputFrom, PayloadFrom } from './definition.ts';

/** What JSON leaves out, refuses, or turns into something else. */
type NotJson =
  | bigint
  | symbol
  | Date
  | RegExp
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...parameters: never) => unknown);

/** How deep payloads are looked into, as types can contain themselves. */
type Deep = 5;

type LostIn<Value, Depth extends readonly unknown[] = []> = unknown extends Value
  ? never
  : Depth['length'] extends Deep
    ? never
    : Value extends NotJson
      ? Value
      : Value extends Uint8Array
        ? never
        : Value extends readonly (infer Item)[]
          ? LostIn<Item, [...Depth, 0]>
          : Value extends object
            ? { [Key in keyof Value]-?: LostIn<Value[Key], [...Depth, 0]> }[keyof Value]
            : never;

/** `unknown` for a definition whose payload can be stored; otherwise what the compiler is to say. */
export type Storable<Definition> = [LostIn<PayloadFrom<Definition>>] extends [never]
  ? [PayloadFrom<Definition>] extends [InputFrom<Definition>]
    ? unknown
    : 'what the schema answers is stored, and it is not what the schema takes: use one that does not transform'
  : 'JSON does not give this payload back as it is: store dates and large numbers as strings, lists for sets and maps';
