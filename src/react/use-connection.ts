import type { ConnectionState } from '../client/connection/state.ts';
import { useClientIfAny } from './provider.ts';
import { useReadable } from './use-readable.ts';

const ON_SERVER: ConnectionState = { status: 'connecting', reason: 'the page is being rendered' };

/** What the connection is like, and why. */
export function useConnection(): ConnectionState {
  return useReadable(useClientIfAny()?.connection, ON_SERVER);
}
