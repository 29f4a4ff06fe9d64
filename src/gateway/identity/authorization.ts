/** Who may do what: one function, which an application can replace. */
import { InvalidInput } from '../../event/error.ts';
import type { NewEvent } from '../../event/event.ts';
import { accountLog, isCategory, type LogName } from '../../event/log-name.ts';
import type { Identity } from './identity.ts';

/** What can be done with a log. `manage` is to change or close the account that the log belongs to. */
export type Action = 'read' | 'append' | 'manage';

/**
 * Whether this identity may do that. Asked for every append and every subscription, so it answers
 * at once; what it has to know about somebody belongs into their {@link Identity.claims}.
 * @param events what is to be appended, all or nothing; left out where that is not known yet, and
 *   the question is whether they may append at all
 */
export type May = (
  identity: Identity,
  action: Action,
  log: LogName,
  events?: readonly NewEvent[],
) => boolean;

/**
 * To which logs every account may append: its own, those of all accounts, as in the article, or
 * none, where an application alone writes.
 */
export type AppendRule = 'own' | 'any' | 'none';

/**
 * Reading: one's own log. Appending: to one's own, with `any` to that of every account, with
 * `none` to no log. Claims add to that.
 * @param types which events every account may append, as `category=type`; left out: all. The claim
 *   `types` takes its place.
 * @throws InvalidInput when one of `types` is none
 */
export function ownLogs(append: AppendRule, types?: readonly string[]): May {
  checkTypes(types);
  return (identity, action, log, events) => {
    const { account, claims = {} } = identity;
    if (claims.admin === true) return true;
    const isOwn = log === accountLog(account);
    if (action === 'read') return isOwn || matchesAny(claims.logs, log);
    if (action === 'manage') return isOwn;
    const isTheirs = append !== 'none' && (isOwn || (append === 'any' && isAccountLog(log)));
    if (!isTheirs && !matchesAny(claims.append, log)) return false;
    return areTaken(claims.types ?? types, log, events);
  };
}

/**
 * With nobody asked who they are, everybody may read and manage everything; and append to all logs
 * or, with `none`, to no log.
 * @param types which events, as `category=type`; left out: all
 * @throws InvalidInput when one of `types` is none
 */
export function everything(append?: AppendRule, types?: readonly string[]): May {
  checkTypes(types);
  return (_identity, action, log, events) =>
    action !== 'append' || (append !== 'none' && areTaken(types, log, events));
}

export const TYPE_RULE =
  'category=type, like account=NoteAdded; * for all, like room=*, or for those that begin so, like room=Said*';

// biome-ignore lint/suspicious/noControlCharactersInRegex: types have none
const TYPE = /^[^\u0000-\u001f\u007f]{1,256}$/;

/** Whether a text says which events may be appended: {@link TYPE_RULE}. */
export function isTypePattern(text: string): boolean {
  const [category, type] = halves(text);
  return (category === '*' || isCategory(category)) && TYPE.test(type);
}

function checkTypes(types: readonly string[] | undefined): void {
  const wrong = types?.find((text) => !isTypePattern(text));
  if (wrong !== undefined) throw new InvalidInput('appendTypes', `must each be ${TYPE_RULE}`);
}

function areTaken(
  patterns: readonly string[] | undefined,
  log: LogName,
  events: readonly NewEvent[] | undefined,
): boolean {
  if (patterns === undefined) return true;
  const category = log.slice(0, log.indexOf(':'));
  const types = patterns
    .map(halves)
    .filter(([name]) => name === '*' || name === category)
    .map(([, type]) => type);
  if (events === undefined) return types.length > 0;
  return events.every(({ type }) => matchesAny(types, type));
}

/** No category has a `=` in it. */
function halves(pattern: string): readonly [category: string, type: string] {
  const end = pattern.indexOf('=');
  return [pattern.slice(0, Math.max(end, 0)), pattern.slice(end + 1)];
}

function isAccountLog(log: LogName): boolean {
  return log.startsWith('account:');
}

function matchesAny(patterns: readonly string[] | undefined, text: string): boolean {
  return patterns?.some((pattern) => matches(pattern, text)) === true;
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
