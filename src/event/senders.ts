/**
 * Who wrote an event. What came through a gateway carries its mark, `meta.from`; what has none was
 * written by the application itself, beside the gateway, on the same store.
 *
 *   meta.from      absent              the application
 *                  account:42          that account, by what it was asked for
 *                  anonymous           somebody, through a gateway that did not ask
 */
import { InvalidInput } from './error.ts';
import type { Meta, StoredEvent } from './event.ts';
import type { LogName } from './log-name.ts';
import { comesLater } from './thrown.ts';

/** The mark of what came through a gateway that knows nobody. No log has this name. */
export const ANONYMOUS = 'anonymous';

/** By the mark of the gateway; undefined for what the application wrote. */
export function senderOf(event: StoredEvent): string | undefined {
  // Most events are told apart without parsing their meta: a gateway writes the word as it is.
  if (event.rawMeta?.includes('"from"') !== true) return undefined;
  return fromOf(event.meta);
}

/** The same of an event whose meta is parsed. */
export function fromOf(meta: Meta | undefined): string | undefined {
  const from = meta?.from;
  return from === undefined ? undefined : String(from);
}

/**
 * Whose events count for a reader:
 *
 * - `everyone` (the default);
 * - `application`: only what the application wrote itself, in its own process;
 * - a list: that, and what came through a gateway from these senders (`['account:backend']`), as of
 *   a part of the application that writes over HTTP with a token of its own;
 * - a function: that, and what it says yes to. It is asked with `meta.from` and the log, at once,
 *   and has to give the same answer whenever it is asked again.
 *
 * Events of others are passed over, as if they were not there.
 */
export type Writers =
  | 'everyone'
  | 'application'
  | readonly string[]
  | ((from: string, log: LogName) => boolean);

/** What every reader of an application can be told. */
export interface WhoseEvents {
  /**
   * Whose events count; those of others are passed over. Default `everyone`: also those that
   * clients sent. Where the application decides what is in a log, say `application`.
   */
  readonly writers?: Writers | undefined;
}

/** Whether what came through a gateway counts. */
export type TrustRule = (from: string, log: LogName) => boolean;

/** Whether the events of everybody count. */
export function isEveryone(writers: Writers | undefined): boolean {
  return writers === undefined || writers === 'everyone';
}

/**
 * @returns undefined where everything counts
 * @throws InvalidInput
 */
export function trustRule(writers: Writers | undefined): TrustRule | undefined {
  if (writers === undefined || writers === 'everyone') return undefined;
  if (writers === 'application') return () => false;
  if (typeof writers === 'function') {
    return (from, log) => {
      const answer: unknown = writers(from, log);
      // A promise is true, whatever it will come to.
      if (comesLater(answer)) throw new InvalidInput('writers', 'must answer at once');
      return Boolean(answer);
    };
  }
  if (!Array.isArray(writers) || !writers.every((from) => typeof from === 'string')) {
    throw new InvalidInput(
      'writers',
      "must be 'everyone', 'application', an array of senders like account:1, or a function",
    );
  }
  const trusted: ReadonlySet<string> = new Set(writers);
  return (from) => trusted.has(from);
}

/** What readers with these writers go by, as text: when it changes, others may count. */
export function textOfWriters(writers: Writers | undefined): string {
  if (isEveryone(writers)) return '';
  return typeof writers === 'function' ? String(writers) : JSON.stringify(writers);
}
