'use client';

/** `millrace/react`: a client's logs, views and commands as hooks. React 18 or 19. */
export { MillraceProvider, useClient } from './provider.ts';
export { type Command, type CommandStatus, type RunCommand, useCommand } from './use-command.ts';
export { useConnection } from './use-connection.ts';
export { type UseLogOptions, useLog } from './use-log.ts';
export { type UseViewOptions, useView } from './use-view.ts';
