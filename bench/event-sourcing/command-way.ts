/** A way to handle the benchmark's commands. */
import type { Deposit } from './bank.ts';

export interface CommandWay {
  /** What is safe once a command is answered, in the store's own words. */
  readonly durability: string;
  /**
   * Loads, decides and appends with the expected version; resolves when that is acknowledged.
   * @param caller 0 for the first of those that call at the same time
   */
  handle(caller: number, command: Deposit): Promise<unknown>;
  close(): Promise<unknown>;
}

/** @param target the folder, or the Redis endpoint */
export type OpenCommandWay = (target: string) => Promise<CommandWay>;
