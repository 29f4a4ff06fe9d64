/** {@link EventDefinitions} at work. Its types are those of `defineEvents`. */
import { InvalidInput } from '../event/error.ts';
import type { Meta, NewEvent, Payload, StoredEvent } from '../event/event.ts';
import type { LogName } from '../event/log-name.ts';
import { isMillraces } from '../event/own-events.ts';
import { senderOf } from '../event/senders.ts';
import { comesLater, kindOf } from '../event/thrown.ts';
import type { DefinitionMap } from './definition.ts';
import { UnreadableEvent } from './errors.ts';
import { type EventRule, rulesFrom } from './event-rules.ts';
import type {
  DefinedEvents,
  PayloadMap,
  Recorded,
  TypedEvent,
  UnknownPolicy,
  UnknownRecorded,
} from './event-types.ts';
import { recordedFrom } from './recorded.ts';
import type { StandardSchema } from './standard-schema.ts';
import { type Validated, validate } from './validate.ts';

export class EventSet implements DefinedEvents<PayloadMap, PayloadMap, UnknownPolicy> {
  readonly types: readonly string[];
  readonly readingText: string;
  readonly #rules = new Map<string, EventRule>();
  /** By every name that a stored event can have. */
  readonly #names = new Map<string, EventRule>();
  readonly #unknown: UnknownPolicy;
  readonly #validateReads: boolean;

  constructor(definitions: DefinitionMap, unknown: UnknownPolicy, validateReads: boolean) {
    const rules = rulesFrom(definitions);
    for (const rule of rules) {
      this.#rules.set(rule.type, rule);
      for (const name of [rule.type, ...rule.formerly]) this.#names.set(name, rule);
    }
    this.#unknown = unknown;
    this.#validateReads = validateReads;
    this.types = rules.map(({ type }) => type);
    this.readingText = JSON.stringify([
      unknown,
      rules.map(({ type, version, upcasts, formerly }) => [
        ...[type, version, formerly],
        upcasts.map(String),
      ]),
    ]);
  }

  create<Type extends string>(
    type: Type,
    payload: unknown,
    meta?: Meta,
  ): TypedEvent<Type, unknown> {
    const checked = this.#check(this.#rule(type), payload);
    return meta === undefined ? { type, payload: checked } : { type, payload: checked, meta };
  }

  encode(event: TypedEvent<string, unknown>): NewEvent {
    const rule = this.#rule(event.type);
    const payload = this.#check(rule, event.payload) as Payload;
    const meta =
      rule.version > 1 ? { ...event.meta, version: rule.version } : withoutVersion(event.meta);
    return meta === undefined ? { type: rule.type, payload } : { type: rule.type, payload, meta };
  }

  decode(
    log: LogName,
    stored: StoredEvent,
  ): Recorded<string, unknown> | UnknownRecorded | undefined {
    const rule = this.#names.get(stored.type);
    if (rule === undefined) return this.#decodeUnknown(log, stored);
    const { meta } = stored;
    const payload = this.#upcast(rule, log, stored, meta);
    return recordedFrom(log, stored.id, rule.type, payload, meta);
  }

  #rule(type: string): EventRule {
    const rule = this.#rules.get(type);
    if (rule !== undefined) return rule;
    throw new InvalidInput(
      'type',
      `must be one of the defined events (${this.types.join(', ')})`,
      'invalid_event',
    );
  }

  #check(rule: EventRule, payload: unknown): unknown {
    if (rule.schema === undefined) return payload;
    const result = validate(rule.schema, rule.type, payload);
    if (result.ok) return result.value;
    throw new InvalidInput(
      `${rule.type}.${result.field}`,
      `is refused by its schema: ${result.message}`,
      'invalid_event',
    );
  }

  #decodeUnknown(log: LogName, stored: StoredEvent): UnknownRecorded | undefined {
    if (this.#unknown === 'ignore') return undefined;
    if (this.#unknown === 'error') {
      throw new UnreadableEvent(
        log,
        stored,
        `is of a type that is not defined (defined are ${this.types.join(', ')}); define it, or say what is to become of others with unknown: 'ignore' or 'raw'`,
      );
    }
    const { id, type, payload, meta } = stored;
    const { unknown: _, ...recorded } = recordedFrom(log, id, type, payload, meta);
    return { ...recorded, unknown: true };
  }

  /** @throws UnreadableEvent; InvalidInput when the schema fails at what the application wrote */
  #validated(
    schema: StandardSchema,
    payload: unknown,
    type: string,
    log: LogName,
    stored: StoredEvent,
  ): unknown {
    // What came through a gateway, or into an account with a registration, nobody has validated.
    const isForeign = senderOf(stored) !== undefined || isMillraces(log, stored);
    if (!this.#validateReads && !isForeign) return payload;
    let result: Validated;
    try {
      result = validate(schema, type, payload);
    } catch (cause) {
      if (!isForeign) throw cause;
      // Its message, as what a schema throws is told by `validate` without the payload.
      const reason = `could not be looked at: ${(cause as InvalidInput).message}`;
      throw new UnreadableEvent(log, stored, reason, { cause });
    }
    if (result.ok) return result.value;
    throw new UnreadableEvent(
      log,
      stored,
      `is refused by its schema, ${result.field}: ${result.message}`,
    );
  }

  #upcast(rule: EventRule, log: LogName, stored: StoredEvent, meta: Meta | undefined): unknown {
    const version = meta?.version ?? 1;
    if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
      throw new UnreadableEvent(log, stored, 'has a meta.version that is no whole number from 1');
    }
    if (version > rule.version) {
      throw new UnreadableEvent(
        log,
        stored,
        `has version ${version}, and ${rule.version} is the latest that is defined; a newer program has written it`,
      );
    }
    let payload: unknown = stored.payload;
    // Such a payload comes as the text that was stored; JSON never parses to its own text.
    if (stored.codec === 'json' && payload === stored.data) {
      throw new UnreadableEvent(log, stored, 'has a payload that was stored as JSON and is none');
    }
    for (let from = version; from < rule.version; from += 1) {
      try {
        payload = rule.upcasts[from - 1]!(payload, { type: stored.type, meta: meta ?? {} });
        if (comesLater(payload)) throw new TypeError('an upcast has to answer at once');
      } catch (cause) {
        throw new UnreadableEvent(
          log,
          stored,
          `could not be turned from version ${from} into ${from + 1} (${kindOf(cause)})`,
          { cause },
        );
      }
    }
    const { schema } = rule;
    if (schema === undefined || (meta === undefined && !this.#validateReads)) return payload;
    return this.#validated(schema, payload, rule.type, log, stored);
  }
}

/** The version is ours to write: a copied meta must not make the event look older or newer. */
function withoutVersion(meta: Meta | undefined): Meta | undefined {
  if (meta?.version === undefined) return meta;
  const { version: _, ...rest } = meta;
  return rest;
}
