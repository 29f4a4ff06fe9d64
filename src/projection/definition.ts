/** What a projection is: how events become rows. */
import { InvalidInput } from '../event/error.ts';
import { trustRule, type WhoseEvents, type Writers } from '../event/senders.ts';
import type { ReadModel } from '../read-models/read-models.ts';
import type {
  AnyPayloads,
  EventDefinitions,
  Recorded,
  RecordedFrom,
} from '../typed/event-types.ts';
import type { RunOptions } from './run-options.ts';

/** What is to be done about a definition that was changed under the same version. */
export type OnChange = 'stop' | 'rebuild' | 'accept';

/**
 * Takes one event into the state of one row: changes `state`, or answers another one. `null`
 * removes the row. At once, and from nothing but its arguments: it runs again whenever something
 * between it and the commit fails, and for every rebuild.
 */
export type RowHandler<State, Event> = (
  state: State,
  event: Event,
  key: string,
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that changes the state needs no return
) => State | null | undefined | void;

/** Handlers by event type; events of other types count for nothing. */
export type RowHandlers<State, Payloads extends object> = string extends keyof Payloads
  ? { readonly [type: string]: RowHandler<State, RecordedFrom<Payloads>> | undefined }
  : {
      readonly [Type in keyof Payloads & string]?: RowHandler<
        State,
        Recorded<Type, Payloads[Type]>
      >;
    };

/**
 * How events of the feed become rows of a read model: a fold for every row (a "left fold over the
 * event stream", as Greg Young has it).
 * @typeParam State of one row; a JSON value, as it is kept as JSON
 * @typeParam Payloads by event type
 */
export interface ProjectionDefinition<State, Payloads extends object = AnyPayloads>
  extends RunOptions,
    WhoseEvents {
  /** 1 to 64 characters of `A-Z a-z 0-9 . _ -`; only one projection of a store may have it. */
  readonly name: string;
  /**
   * A whole number from 1. Raise it whenever what is in here changes: the rows are then computed
   * anew, beside the old ones, which stay until the new ones have caught up. Default 1.
   */
  readonly version?: number | undefined;
  /**
   * What becomes of a definition that was changed under the same version: `stop` ends it at once,
   * as failed, with ProjectionChanged; `rebuild` computes the rows anew, as with a higher version.
   * Processes that still run the former definition go on until the new rows are there, and nobody
   * goes back to it by itself. `accept` goes on with the rows that are there, which are right all
   * the same, as after a correction of what threw; not to be left there. Default `stop`.
   */
  readonly onChange?: OnChange | undefined;
  /**
   * By what a change is noticed. Left out: by the source text of the handlers, `key`, `initial` and
   * the upcasts, and by `category` and `writers`; not by what those functions call. A minifier, a
   * compiler or another version of one can write that text differently: a text of one's own, which
   * is changed by hand, does not. `false`: nobody looks.
   */
  readonly fingerprint?: string | false | undefined;
  /** The events there are. Left out: events of any type, with payloads as they are stored. */
  readonly events?: EventDefinitions<Payloads> | undefined;
  /** Only events of these logs: `account` for `account:1`. Left out: of all but dead letters. */
  readonly category?: string | undefined;
  /**
   * Which rows an event is for: one, several, or none (`undefined`). Default: the log's name.
   * Keys have up to 1,024 bytes.
   */
  readonly key?:
    | ((event: NoInfer<RecordedFrom<Payloads>>) => string | readonly string[] | undefined)
    | undefined;
  /** The state of a row before its first event; each row gets a copy of it. */
  readonly initial: () => State;
  readonly on: RowHandlers<NoInfer<State>, NoInfer<Payloads>>;
  /** Where rows are kept. Default: in the store of the log. */
  readonly readModel?: ReadModel | undefined;
  /**
   * What becomes of an event whose handler throws, again and again, or makes a row that cannot be
   * kept: `stop` ends the projection before it, as failed; `skip` leaves it out, and tells. Left
   * out: an event that a client wrote is passed over, at once (counted, and told once for each
   * type); one of the application stops it.
   */
  readonly onError?: 'stop' | 'skip' | undefined;
  /**
   * What it means that events were trimmed away before they were counted: `stop` ends the
   * projection, as failed; `accept` goes on with what there is. Default `stop`.
   */
  readonly trimmed?: 'stop' | 'accept' | undefined;
}

/**
 * A projection, to be handed to `project` or exported for `millrace project`; it is checked, and
 * answered as it is.
 * @throws InvalidInput naming the field that breaks a rule
 */
export function defineProjection<State, Payloads extends object = AnyPayloads>(
  definition: ProjectionDefinition<State, Payloads>,
): ProjectionDefinition<State, Payloads> {
  checkDefinition(definition);
  return definition;
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws InvalidInput */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw new InvalidInput('name', 'must be 1 to 64 characters of A-Z a-z 0-9 . _ -');
}

/** Fields as they came from somewhere, of whatever types. */
type Unchecked = { readonly [Field in keyof ProjectionDefinition<unknown>]?: unknown };

/** @throws InvalidInput */
export function checkDefinition(definition: Unchecked): void {
  const { name, version = 1, initial, key, on: handlers } = definition;
  checkName(name);
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw new InvalidInput('version', 'must be a whole number from 1');
  }
  if (typeof initial !== 'function') {
    throw new InvalidInput('initial', 'must be a function that answers the state of a new row');
  }
  if (key !== undefined && typeof key !== 'function') {
    throw new InvalidInput('key', 'must be a function from an event to the keys of its rows');
  }
  if (typeof handlers !== 'object' || handlers === null) {
    throw new InvalidInput('on', 'must be an object with a handler for each event type');
  }
  for (const [type, handler] of Object.entries(handlers)) {
    if (handler !== undefined && typeof handler !== 'function') {
      throw new InvalidInput(`on.${type}`, 'must be a function');
    }
  }
  trustRule(definition.writers as Writers | undefined);
  const { fingerprint } = definition;
  const isText =
    typeof fingerprint === 'string' && fingerprint !== '' && fingerprint.isWellFormed();
  if (fingerprint !== undefined && fingerprint !== false && !isText) {
    throw new InvalidInput('fingerprint', 'must be well-formed text that is not empty, or false');
  }
  checkChoice('onChange', definition.onChange, ['stop', 'rebuild', 'accept']);
  checkChoice('onError', definition.onError, ['stop', 'skip']);
  checkChoice('trimmed', definition.trimmed, ['stop', 'accept']);
}

/** @throws InvalidInput */
export function checkChoice(field: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  throw new InvalidInput(field, `must be ${choices.map((choice) => `'${choice}'`).join(' or ')}`);
}
