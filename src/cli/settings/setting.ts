/** What a setting is. */
import type { ValueKind } from './values.ts';

/** One setting, as the flag that sets it and the variables that may do so instead. */
export interface Setting<Value = unknown> {
  /** Absent for what must not be on a command line, where others can read it. */
  readonly flag?: string;
  /** What stands for the value in the help; absent for a switch without one. */
  readonly placeholder?: string;
  /** A switch all the same, which may be given a value: off without it, `true` where it stands alone. */
  readonly switch?: true;
  readonly group: 'Store:' | 'Network:' | 'Access:' | 'Limits:' | 'Other:';
  readonly help: string;
  readonly variables: readonly string[];
  readonly kind: ValueKind<Value>;
  /** For variables that take something else than the flag does. */
  readonly variableKinds?: Readonly<Record<string, ValueKind<Value>>>;
  /** As it would be written; absent when the default is not to have any. */
  readonly fallback?: string;
  /** May be given several times; a variable holds several between commas. */
  readonly repeatable?: boolean;
}
