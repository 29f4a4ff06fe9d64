/**
 * Keeps the appends of a log in their order, though they go two ways: many at a time over a socket,
 * one after the other by requests. Whoever changes the way waits until the other one is empty; when
 * one of those before has no answer, it is not even sent, as it would overtake.
 */
import type { LogName } from '../../event/log-name.ts';
import type { AttemptAnswer } from '../upstream.ts';

interface Lane {
  /** The socket, whose messages stay in order by themselves. */
  readonly socket: object | undefined;
  /** When the first of this way could be sent; whether all before were answered. */
  readonly free: Promise<boolean> | undefined;
  readonly done: Promise<boolean>;
}

export const UNANSWERED: AttemptAnswer = { kind: 'unanswered' };

export class Lanes {
  readonly #lanes = new Map<LogName, Lane>();

  /**
   * @param socket left out for a request
   * @param send does not reject
   */
  add(
    log: LogName,
    socket: object | undefined,
    send: () => Promise<AttemptAnswer>,
  ): Promise<AttemptAnswer> {
    const last = this.#lanes.get(log);
    const goesAlong = socket !== undefined && last?.socket === socket;
    const free = goesAlong ? last?.free : last?.done;
    const answer = free?.then((isWhole) => (isWhole ? send() : UNANSWERED)) ?? send();
    const done = Promise.all([last?.done ?? true, answer]).then(
      ([isWhole, { kind }]) => isWhole && kind !== 'unanswered',
    );
    const lane = { socket, free, done };
    this.#lanes.set(log, lane);
    void done.then(() => {
      if (this.#lanes.get(log) === lane) this.#lanes.delete(log);
    });
    return answer;
  }
}
