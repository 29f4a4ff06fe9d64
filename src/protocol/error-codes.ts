/**
 * Every stable error code that a client can meet, in one table. `docs/protocol.md` explains them;
 * a test keeps the table, that document and the codes thrown in `src/` the same.
 */

/** What a code means on the wire. */
export interface ErrorCode {
  /** The HTTP status of a response that carries it. */
  readonly status: number;
  /** The WebSocket close code, where the error ends the connection. */
  readonly close?: number;
  /** What happened, in one line: the title of problem details. */
  readonly meaning: string;
}

function code(status: number, meaning: string, close?: number): ErrorCode {
  return close === undefined ? { status, meaning } : { status, meaning, close };
}

/** The table. The order is that of `docs/protocol.md`. */
export const ERROR_CODES = {
  // What the client sent
  invalid_json: code(400, 'The text is not JSON'),
  invalid_operation: code(400, 'A field of the operation is missing, unknown or wrong'),
  unknown_operation: code(400, 'There is no such operation'),
  invalid_input: code(400, 'A value breaks a rule'),
  invalid_event: code(400, 'The event breaks a rule'),
  invalid_event_id: code(400, 'The text is not an event ID'),
  invalid_time: code(400, 'The text is not an ISO 8601 time'),
  invalid_log: code(400, 'The text is not a log name'),
  invalid_account: code(400, 'The text is not an account ID'),
  invalid_query: code(400, 'A query parameter breaks a rule'),
  invalid_header: code(400, 'A request header breaks a rule'),
  invalid_http: code(400, 'The bytes are not an HTTP request'),
  invalid_upgrade: code(400, 'The WebSocket handshake is not valid'),
  unsupported_subprotocol: code(400, 'None of the WebSocket subprotocols asked for is spoken here'),
  too_large: code(413, 'The event, or all events of the append together, are too large'),
  body_too_large: code(413, 'The request body is too large'),
  too_many_values: code(413, 'The JSON holds too many values'),
  body_incomplete: code(400, 'The request body did not come whole'),
  headers_too_large: code(431, 'The address and the headers of the request are too long'),
  request_timeout: code(408, 'The request took too long to come'),
  // Only where it is so large that it is not even read.
  frame_too_large: code(413, 'The WebSocket message is too large', 1009),
  binary_frame: code(400, 'Binary WebSocket messages are not spoken here'),
  invalid_utf8: code(400, 'The text is not valid UTF-8', 1007),
  invalid_frame: code(400, 'The bytes break the WebSocket protocol', 1002),
  unauthenticated: code(401, 'Who you are is not known, or no longer', 4401),
  forbidden: code(403, 'You may not do that'),
  forbidden_host: code(403, 'The gateway does not answer to this host name'),
  forbidden_origin: code(403, 'Web pages of this origin may not use this gateway'),
  upgrade_required: code(426, 'This address speaks WebSocket only'),
  method_not_allowed: code(405, 'The address does not take this method'),
  rate_limited: code(429, 'Too many changes in too short a time'),
  too_many_connections: code(429, 'There are as many connections as there may be'),
  too_many_subscriptions: code(429, 'The socket follows as many logs as it may'),
  already_subscribed: code(409, 'The socket follows this log already'),
  not_subscribed: code(409, 'The socket does not follow this log'),
  // What accounts answer
  invalid_email: code(422, 'The text is not an email address that is taken here'),
  address_taken: code(409, 'The email address belongs to another account'),
  account_not_found: code(404, 'There is no such account'),
  account_closed: code(410, 'The account has been closed'),
  account_busy: code(409, 'Another change of the account is under way'),
  // What the log answered
  version_conflict: code(412, 'The log has moved on from the expected version'),
  producer_gap: code(409, 'The producer skipped a sequence number'),
  producer_fenced: code(403, 'A newer epoch of the producer has taken over'),
  trimmed: code(410, 'Events after the cursor were trimmed'),
  reset: code(410, 'The store lost events that the cursor had seen'),
  wrong_type: code(409, 'The key of the log holds something that is no log'),
  log_full: code(409, 'The log has given out its last possible event ID'),
  unavailable: code(503, 'The store cannot be reached; nothing was changed'),
  outcome_unknown: code(504, 'The append was sent and not answered; it may have happened'),
  // What the gateway is doing
  closed: code(503, 'The event log has been closed'),
  keys_unavailable: code(503, 'The keys that tokens are checked with cannot be had right now'),
  overloaded: code(503, 'The gateway has as much work as it may take on'),
  shutting_down: code(503, 'The gateway is shutting down; connect again', 1001),
  idle_timeout: code(408, 'The socket showed no sign of life', 1001),
  internal: code(500, 'Something failed inside the gateway'),
  // What opening a store can answer; clients never meet these
  store_locked: code(503, 'The store is in use by another process'),
  store_unusable: code(503, 'The folder cannot hold a store, or holds something else'),
  unsupported_store: code(
    503,
    'The store server is too old, of another kind, or does not let us in',
  ),
  // What typed events and deciders can answer to the application; clients never meet these
  unreadable_event: code(500, 'A stored event is not one that the definitions can read'),
  projection_failed: code(500, 'A projection or reaction cannot handle an event'),
  projection_changed: code(500, 'A projection has changed under the same version'),
  projection_superseded: code(
    500,
    'A later version of a projection serves, and nobody works on it',
  ),
  feed_reset: code(500, 'A projection knows events that the store has lost'),
  feed_trimmed: code(500, 'Events were trimmed away before a projection had seen them'),
  too_many_conflicts: code(409, 'Others appended to the log before each attempt'),
  command_id_reused: code(409, 'The ID of the command was used for another one'),
  state_lost: code(410, 'Events that are needed were trimmed'),
  queue_full: code(503, 'As many commands wait for the log as may wait'),
  invalid_feed_cursor: code(400, 'That is no cursor of the feed'),
  progress_lost: code(
    500,
    'What a group of workers, or a reaction, has done is not known any more',
  ),
  no_dead_letter: code(404, 'The group has no such dead letter, or none that is open'),
  // What the client itself answers to the page; no gateway sends these
  outbox_full: code(503, 'The outbox of the client holds as much as it may'),
  view_failed: code(500, 'The function of a view threw at an event'),
  command_refused: code(422, 'The decider refused the command, with an error that has no code'),
} as const satisfies Record<string, ErrorCode>;

/** One of the stable codes. */
export type KnownCode = keyof typeof ERROR_CODES;

/** What a code means; an unknown one is an internal error. */
export function errorCode(code: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as KnownCode] : ERROR_CODES.internal;
}
