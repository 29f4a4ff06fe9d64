/** `millrace/client`: what a page, or another program, imports. Browser-safe. */
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
