/**
 * What anybody with a redis-cli can do to the keys of Millrace, and what comes of it: the table of
 * docs/operations.md, each row of which is tried by the tests beside this file.
 */

/** The names in backticks of the table; `SET` stands for anything else under the key, of another type if need be. */
export type Deed =
  | 'DEL'
  | 'EXPIRE'
  | 'RENAME'
  | 'RESTORE'
  | 'SET'
  | 'XDEL'
  | 'XTRIM'
  | 'XSETID'
  | 'XGROUP DESTROY'
  | 'XGROUP DELCONSUMER'
  | 'XGROUP SETID';

export interface Row {
  /** As in the docs, for example `{work:mail}:logs`. */
  readonly key: string;
  readonly deed: Deed;
  /** It goes on as if nothing had happened; or what is told, until somebody puts it right. */
  readonly then: 'heals' | 'says';
}

const GONE = ['DEL', 'EXPIRE', 'RENAME'] as const;

function rows(key: string, then: Row['then'], ...deeds: readonly Deed[]): Row[] {
  return deeds.map((deed) => ({ key, deed, then }));
}

export const WORKER_ROWS: readonly Row[] = [
  ...rows(
    '{work:mail}:logs',
    'heals',
    ...GONE,
    ...(['RESTORE', 'XDEL', 'XTRIM'] as const),
    ...(['XGROUP DESTROY', 'XGROUP DELCONSUMER', 'XGROUP SETID'] as const),
  ),
  ...rows('{work:mail}:logs', 'says', 'SET', 'XSETID'),
  ...rows('{work:mail}:cursors', 'heals', 'RESTORE'),
  ...rows('{work:mail}:cursors', 'says', ...GONE, 'SET'),
  ...['queued', 'told', 'attempts', 'delayed', 'redrives', 'state'].flatMap((name) => [
    ...rows(`{work:mail}:${name}`, 'heals', ...GONE, 'RESTORE'),
    ...rows(`{work:mail}:${name}`, 'says', 'SET'),
  ]),
];

export const LOG_ROWS: readonly Row[] = [
  ...rows('account:1:log', 'says', ...GONE, 'RESTORE', 'XTRIM', 'XSETID', 'SET'),
  ...rows('account:1:log', 'heals', 'XDEL'),
  ...rows('{account:1:log}:producers', 'says', ...GONE, 'RESTORE', 'SET'),
  ...rows('{account:1:log}:meta', 'heals', ...GONE, 'RESTORE'),
  ...rows('{account:1:log}:meta', 'says', 'SET'),
];

export const ACCOUNT_ROWS: readonly Row[] = rows(
  '{account:1:log}:history',
  'heals',
  ...GONE,
  ...(['RESTORE', 'SET'] as const),
);

export const FEED_ROWS: readonly Row[] = [
  ...rows('feed', 'heals', ...GONE, 'RESTORE', 'XSETID'),
  ...rows('feed', 'says', 'XDEL', 'XTRIM', 'SET'),
  ...rows('{feed}:indexed', 'heals', ...GONE, 'RESTORE'),
  ...rows('{feed}:indexed', 'says', 'SET'),
];

export const PROJECTION_ROWS: readonly Row[] = [
  ...['read-model:balances@1', '{read-model:balances@1}:checkpoint'].flatMap((key) => [
    ...rows(key, 'heals', ...GONE, 'RESTORE'),
    ...rows(key, 'says', 'SET'),
  ]),
  ...rows('projection:balances:current', 'heals', ...GONE, 'RESTORE'),
  ...rows('projection:balances:current', 'says', 'SET'),
  ...rows('projection:balances:definitions', 'heals', ...GONE, 'RESTORE', 'SET'),
  ...rows('lease:projection:balances:1', 'heals', ...GONE, 'RESTORE', 'SET'),
  ...rows('{lease:projection:balances:1}:token', 'heals', ...GONE, 'RESTORE'),
  ...rows('{lease:projection:balances:1}:token', 'says', 'SET'),
];

export const REACTION_ROWS: readonly Row[] = [
  ...rows('{lease:reaction:search}:place', 'says', ...GONE, 'SET'),
  ...rows('{lease:reaction:search}:place', 'heals', 'RESTORE'),
  ...rows('{lease:reaction:search}:begun', 'heals', ...GONE, 'RESTORE', 'SET'),
];

const EMAIL = 'email:han@example.org';

export const RECORD_ROWS: readonly Row[] = [
  ...rows('account_id', 'heals', ...GONE, 'RESTORE'),
  ...rows('account_id', 'says', 'SET'),
  ...rows(EMAIL, 'heals', ...GONE, 'SET'),
  ...rows(EMAIL, 'says', 'RESTORE'),
  ...rows(`{${EMAIL}}:reservation`, 'says', ...GONE, 'RESTORE', 'SET'),
  ...rows('open_reservations:7', 'heals', ...GONE, 'RESTORE'),
  ...rows('open_reservations:7', 'says', 'SET'),
  ...rows('ticket:<hash>', 'says', ...GONE, 'SET'),
  ...rows('session:<id>', 'says', ...GONE, 'SET'),
  ...rows('limit:appends:1', 'heals', ...GONE, 'RESTORE', 'SET'),
  ...rows('limit:sockets:account:1', 'heals', ...GONE, 'RESTORE', 'SET'),
  ...rows('gateway:<gateway>', 'heals', ...GONE, 'SET'),
];

export const ALL_ROWS: readonly Row[] = [
  ...LOG_ROWS,
  ...ACCOUNT_ROWS,
  ...FEED_ROWS,
  ...WORKER_ROWS,
  ...PROJECTION_ROWS,
  ...REACTION_ROWS,
  ...RECORD_ROWS,
];
