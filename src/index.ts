/**
 * The library: an append-only log of events for every account, and its live delivery.
 *
 *     openLog(store) ─► EventLog ─► createLive ─► subscribe, or createGateway ─► listen
 */
export type { Account, AccountEvent, Registration } from './accounts/account.ts';
export { type Accounts, type AccountsOptions, createAccounts } from './accounts/accounts.ts';
export { canonicalEmail } from './accounts/email-address.ts';
export { AccountBusy, AccountClosed, AccountNotFound, AddressTaken } from './accounts/errors.ts';
export { OwnerHistory } from './accounts/owner-history.ts';
export {
  type Exchange,
  type Exchanged,
  Reservations,
  type ReservationsOptions,
} from './accounts/reservations.ts';
export type { Owners } from './accounts/settler.ts';
export {
  type Decider,
  type DeciderDefinition,
  type Decision,
  decider,
  type StateOf,
  type UntypedPayloads,
} from './decider/decider.ts';
export { CommandIdReused, QueueFull, StateLost, TooManyConflicts } from './decider/errors.ts';
export type { CommandOptions, Handled } from './decider/handling/command.ts';
export {
  type CommandHandler,
  type CommandHandlerOptions,
  commandHandler,
} from './decider/handling/command-handler.ts';
export { type HandleOptions, handle } from './decider/handling/handle.ts';
export type { SnapshotOptions } from './decider/handling/snapshots.ts';
export { readState, type StateAt } from './decider/handling/state.ts';
export type { Appended } from './event/appended.ts';
export { InvalidInput, MillraceError } from './event/error.ts';
export {
  DEFAULT_EVENT_LIMITS,
  type EventLimits,
  type JsonValue,
  type Meta,
  type NewEvent,
  type Payload,
  StoredEvent,
} from './event/event.ts';
export {
  compareEventIds,
  type EventId,
  isEventId,
  parseEventId,
  ZERO_ID,
} from './event/event-id.ts';
export { accountLog, type LogName, parseLogName } from './event/log-name.ts';
export type { Producer } from './event/producer.ts';
export type { Retries } from './event/retries.ts';
export type { WhoseEvents, Writers } from './event/senders.ts';
export type { Standing } from './event/standing.ts';
export type { Start } from './event/start.ts';
export {
  Closed,
  LogFull,
  OutcomeUnknown,
  ProducerFenced,
  ProducerGap,
  ProgressLost,
  Unavailable,
  VersionConflict,
  WrongType,
} from './event/store-errors.ts';
export {
  FEED_START,
  type Feed,
  type FeedCursor,
  type FeedItem,
  type FeedOptions,
  type FeedPage,
  type FeedStanding,
} from './feed/feed.ts';
export { createGateway, type Gateway } from './gateway/gateway.ts';
export {
  type Action,
  type AppendRule,
  type May,
  ownLogs,
} from './gateway/identity/authorization.ts';
export type { Answer, Connection } from './gateway/identity/connection.ts';
export { type CookieSessionOptions, cookieSession } from './gateway/identity/cookie-session.ts';
export {
  type Authenticate,
  type Claims,
  type Identity,
  type RequestHead,
  Unauthenticated,
} from './gateway/identity/identity.ts';
export { type JwtOptions, jwtAuthentication } from './gateway/identity/jwt.ts';
export type { GatewayLimits } from './gateway/limits/limits.ts';
export type { Listening } from './gateway/listening.ts';
export { type ListenOptions, listen } from './gateway/node/listen.ts';
export type { GatewayOptions } from './gateway/options.ts';
export type { Admission } from './gateway/sockets/admission.ts';
export type {
  Framing,
  GatewaySocket,
  Reading,
  SocketFrames,
  SocketSession,
  Unreadable,
} from './gateway/sockets/socket.ts';
export { Batch, type FrameEncoder } from './live/batch.ts';
export { createLive, type LiveOptions } from './live/create-live.ts';
export type { Delivery } from './live/delivery.ts';
export type { Live } from './live/live.ts';
export type { Sink, Subscription } from './live/sink.ts';
export { type SubscribeOptions, subscribe } from './live/subscribe.ts';
export {
  type TypedDelivery,
  type TypedLog,
  type TypedLogOptions,
  type TypedPage,
  typedLog,
} from './live/typed-log.ts';
export type { AppendOptions, EventLog, Follower, Page, ReadOptions } from './log/log.ts';
export type { WaitOptions } from './log/or-aborted.ts';
export type { Count, Gauge, Metrics, Timing } from './metrics/metrics.ts';
export type { Notice } from './metrics/notice.ts';
export type { MetricsOptions, NoticeOptions } from './metrics/observer.ts';
export {
  type ProcessManagerOptions,
  processManager,
  type Reactions,
  type Send,
  type SendOptions,
} from './process-manager/process-manager.ts';
export {
  defineProjection,
  type ProjectionDefinition,
  type RowHandler,
  type RowHandlers,
} from './projection/definition.ts';
export {
  FeedReset,
  FeedTrimmed,
  ProjectionChanged,
  ProjectionFailed,
  ProjectionSuperseded,
} from './projection/errors.ts';
export type { RunState } from './projection/feed-run.ts';
export {
  type Projection,
  type ProjectionStatus,
  type ProjectionStore,
  project,
} from './projection/project.ts';
export {
  type Reaction,
  type ReactionDefinition,
  type ReactionStatus,
  react,
} from './projection/react.ts';
export type { RunOptions } from './projection/run-options.ts';
export { httpStatus } from './protocol/problem.ts';
export type {
  Checkpoint,
  CommitOutcome,
  ReadModel,
  ReadModelCommit,
  ReadModels,
} from './read-models/read-models.ts';
export type {
  Add,
  Change,
  Committed,
  Fence,
  Lease,
  Life,
  Put,
  Records,
  Swapped,
} from './records/records.ts';
export { EmbeddedLog, type EmbeddedLogOptions } from './stores/embedded/log/embedded-log.ts';
export { EmbeddedReadModels } from './stores/embedded/read-models/embedded-read-models.ts';
export {
  EmbeddedRecords,
  type EmbeddedRecordsOptions,
} from './stores/embedded/records/embedded-records.ts';
export {
  EmbeddedWorkQueues,
  type EmbeddedWorkQueuesOptions,
} from './stores/embedded/work-queues/embedded-work-queues.ts';
export { MemoryLog } from './stores/memory/log/memory-log.ts';
export { MemoryReadModels } from './stores/memory/read-models/memory-read-models.ts';
export {
  MemoryRecords,
  type MemoryRecordsOptions,
} from './stores/memory/records/memory-records.ts';
export {
  MemoryWorkQueues,
  type MemoryWorkQueuesOptions,
} from './stores/memory/work-queues/memory-work-queues.ts';
export {
  type OpenLogOptions,
  type OpenStoreOptions,
  openLog,
  openStore,
  type RedisStoreOptions,
  type Store,
} from './stores/open.ts';
export { RedisLog, type RedisLogOptions } from './stores/redis/log/redis-log.ts';
export {
  RedisReadModels,
  type RedisReadModelsOptions,
} from './stores/redis/read-models/redis-read-models.ts';
export { RedisRecords, type RedisRecordsOptions } from './stores/redis/records/redis-records.ts';
export {
  RedisWorkQueues,
  type RedisWorkQueuesOptions,
} from './stores/redis/work-queues/redis-work-queues.ts';
export { caused } from './typed/caused.ts';
export { type DefineEventsOptions, defineEvents } from './typed/define-events.ts';
export type {
  DefinitionMap,
  EventDefinition,
  StoredAs,
  Upcast,
  VersionedEvent,
} from './typed/definition.ts';
export { UnreadableEvent } from './typed/errors.ts';
export type {
  AnyPayloads,
  DecodedOf,
  DefinedEvents,
  EventDefinitions,
  EventInputOf,
  EventOf,
  PayloadMap,
  PayloadsOf,
  Recorded,
  RecordedOf,
  TypedEvent,
  UnknownPolicy,
  UnknownRecorded,
  UntypedRecorded,
} from './typed/event-types.ts';
export {
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
  type,
} from './typed/standard-schema.ts';
export type {
  Attempt,
  JoinOptions,
  LeasedLog,
  Letter,
  Next,
  Redrive,
  Settlement,
  WorkConsumer,
  WorkQueues,
} from './work-queues/work-queues.ts';
export type { WorkContext } from './worker/context.ts';
export {
  type DeadLetter,
  deadLetterLog,
  discardDeadLetter,
  listDeadLetters,
  NoDeadLetter,
  type Redriving,
  redriveDeadLetter,
} from './worker/dead-letters.ts';
export type { LossReason } from './worker/find-event.ts';
export {
  type Worker,
  type WorkOptions,
  type WorkStore,
  work,
} from './worker/work.ts';
