/**
 * Typed events: one place that says which events there are, what they carry, and how older ones
 * are read.
 *
 *   write:  event ──validate──► payload as the schema answers it, meta.version ──► append
 *   read:   stored ──former name──► upcast 1→2→3 ──(validate)──► in its current shape
 *
 * Upcasting is Greg Young's answer to changed events ("Versioning in an Event Sourced System"):
 * old logs are never rewritten, they are read as if they had always been written like today.
 */
import { InvalidInput } from '../event/error.ts';
import type { DefinitionMap, InputFrom, PayloadFrom } from './definition.ts';
import { EventSet } from './event-set.ts';
import type { DefinedEvents, UnknownPolicy } from './event-types.ts';
import type { Storable } from './storable.ts';

const POLICIES: ReadonlySet<string> = new Set<UnknownPolicy>(['error', 'ignore', 'raw']);

/** How {@link defineEvents} reads and what it does about types that are not defined. */
export interface DefineEventsOptions<Policy extends UnknownPolicy = UnknownPolicy> {
  /** What becomes of stored events of other types. Default `error`. */
  readonly unknown?: Policy | undefined;
  /**
   * Whether payloads are validated also when the application itself wrote them. Default false: what
   * was validated when it was written is believed. What came through a gateway is always validated.
   */
  readonly validateReads?: boolean | undefined;
}

/**
 * Defines the events of an application, each with any Standard Schema v1 validator (zod, valibot,
 * arktype, …; https://standardschema.dev) or with a type alone.
 *
 *     const bank = defineEvents({
 *       Deposited: z.object({ amount: z.number() }),
 *       Closed: type<{ reason: string }>(),
 *     });
 *     type BankEvent = EventOf<typeof bank>;
 *
 * What a schema answers is what is stored, so it must itself be a value that the schema takes.
 * Schemas have to answer at once: asynchronous ones are refused.
 * @throws InvalidInput naming the definition that breaks a rule
 */
export function defineEvents<
  const Definitions extends DefinitionMap,
  const Policy extends UnknownPolicy = 'error',
>(
  definitions: Definitions & { readonly [Type in keyof Definitions]: Storable<Definitions[Type]> },
  options: DefineEventsOptions<Policy> = {},
): DefinedEvents<
  // Written out, so that messages of the compiler show the payloads and not how they were found.
  { readonly [Type in keyof Definitions]: PayloadFrom<Definitions[Type]> },
  { readonly [Type in keyof Definitions]: InputFrom<Definitions[Type]> },
  Policy
> {
  const { unknown = 'error', validateReads = false } = options;
  if (!POLICIES.has(unknown)) {
    throw new InvalidInput('unknown', "must be 'error', 'ignore' or 'raw'");
  }
  // What the definitions come to is known to the compiler alone.
  return new EventSet(definitions, unknown, validateReads) as never;
}
