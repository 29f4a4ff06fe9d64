/**
 * Keeps two connections on one server. A failover can put another server behind the same address;
 * a connection that stays on the old one does not hear what is published on the new one, or
 * writes where nobody will look.
 */
import type { Redis } from 'ioredis';

/** Milliseconds between two moves: an address whose servers take turns must not have us do nothing else. */
const SHORTEST_STAY = 1_000;

/** Whenever one of two connections is open again, sees to it that the other one follows it. */
export function keepOnSameServer(first: Redis, second: Redis): void {
  /** By connection, in the order in which they were opened: the run of the server at its other end. */
  const runs = new Map<Redis, string>();
  let movedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  async function learn(connection: Redis): Promise<void> {
    const { stream } = connection;
    const run = await runOf(connection);
    if (run === undefined || stream !== connection.stream || stream.destroyed) return;
    runs.delete(connection);
    runs.set(connection, run);
    compare();
  }

  function compare(): void {
    clearTimeout(timer);
    const [older, newer] = runs;
    if (older === undefined || newer === undefined || older[1] === newer[1]) return;
    const wait = movedAt + SHORTEST_STAY - performance.now();
    if (wait > 0) {
      timer = setTimeout(compare, wait);
      timer.unref();
      return;
    }
    movedAt = performance.now();
    older[0].disconnect(true);
  }

  for (const connection of [first, second]) {
    connection.on('ready', () => void learn(connection));
    connection.on('close', () => runs.delete(connection));
    if (connection.status === 'ready') void learn(connection);
  }
}

/** What tells one start of a server from any other; unknown where `INFO` is not answered. */
async function runOf(connection: Redis): Promise<string | undefined> {
  try {
    return /run_id:(\w+)/.exec(await connection.info('server'))?.[1];
  } catch {
    return undefined;
  }
}
