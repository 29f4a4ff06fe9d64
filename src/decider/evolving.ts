/** An application's `evolve`, as everybody calls it who computes a state: deciders, and the views of clients. */
import { InvalidInput } from '../event/error.ts';
import { deepFreeze } from '../event/frozen.ts';
import { comesLater, kindAndPlace } from '../event/thrown.ts';
import type { EventReading, ReadEvent } from '../typed/event-reading.ts';
import { explained, isDevelopment } from './kept-state.ts';

/**
 * Answers the next state, frozen in development. An event of a client that `evolve` throws for is
 * passed over: the state stays as it was. Everything else that it throws, it throws.
 * @param whose as in `decider account`
 */
export function evolving<State, Event extends ReadEvent>(
  evolve: (state: State, event: Event) => State,
  reading: Pick<EventReading<unknown>, 'passOver'>,
  whose: string,
): (state: State, event: Event) => State {
  const isFrozen = isDevelopment();
  return (state, event) => {
    let next: State;
    try {
      next = evolve(state, event);
    } catch (error) {
      const told = explained(error, `evolve of ${whose}`);
      // Whoever reads the log comes to the same, as evolve goes by nothing but its arguments. What is
      // told has nothing of the payload, which can be in the message.
      const isOfClient =
        told === error &&
        reading.passOver(event, `makes evolve throw ${kindAndPlace(error)}`, error);
      if (isOfClient) return state;
      throw told;
    }
    if (comesLater(next)) {
      throw new InvalidInput(`evolve of ${whose}`, 'must answer the next state at once');
    }
    return isFrozen ? deepFreeze(next) : next;
  };
}
