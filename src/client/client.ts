/** `millrace/client`: what a page, or another program, imports. Browser-safe. */
export {
  type Decider,
  type DeciderDefinition,
  type Decision,
  decider,
  type StateOf,
} from '../decider/decider.ts';
export type { Appended } from '../event/appended.ts';
export { InvalidInput, MillraceError } from '../event/error.ts';
export type { JsonValue, Meta, Payload } from '../event/event.ts';
export { type EventId, ZERO_ID } from '../event/event-id.ts';
export { accountLog, type LogName } from '../event/log-name.ts';
export type { Failure } from '../protocol/problem.ts';
export { type DefineEventsOptions, defineEvents } from '../typed/define-events.ts';
export type {
  DecodedOf,
  EventDefinitions,
  EventInputOf,
  EventOf,
  Recorded,
  RecordedOf,
  TypedEvent,
  UnknownRecorded,
} from '../typed/event-types.ts';
export { type StandardSchema, type } from '../typed/standard-schema.ts';
export type {
  AnyEvent,
  Client,
  ClientAppendOptions,
  ClientLog,
  ConnectOptions,
  Latest,
  Outbox,
  PendingAppend,
  Sending,
} from './client-api.ts';
export { connect } from './connect.ts';
export type { ConnectionState, ConnectionStatus } from './connection/state.ts';
export type { Persist } from './device.ts';
export { OutboxFull, Refused } from './errors.ts';
export type { Refusal } from './outbox/entry.ts';
export type { Readable } from './readable.ts';
export type { ClientStart } from './upstream.ts';
export {
  type ClientCommandOptions,
  type HandledByClient,
  handle,
  withDeciders,
} from './views/handle.ts';
export { view } from './views/open-view.ts';
export { isPending } from './views/pending-events.ts';
export type { PendingEvent, View, ViewState } from './views/view.ts';
export type { StateAfter, ViewOptions, ViewSources } from './views/view-options.ts';
