import { listenPlainly } from './plain-listener.ts';
import { listenerContract } from './topics.ts';

listenerContract({
  name: 'a runtime that can do little',
  listen: listenPlainly,
  lacks: {
    reading: 'it has no way to stop',
    bytesTaken: 'it counts a message as waiting until all of it is gone',
    frames: 'it takes messages',
    farewell: 'it closes before it tells',
    pongs: 'its server answers by itself',
    halfOpen: 'connections are not its business',
    requestTimeouts: 'its server has its own',
    refusals: 'its server answers by itself',
    pipelining: 'its server takes what comes',
    answers: 'it does not know what becomes of them',
  },
});
