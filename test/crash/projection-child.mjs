/**
 * A process of the projection test, to be killed and paused. Runs the projection `counts` in
 * version argv[3] over the store argv[2], and with argv[4] it also appends to the logs that it
 * counts. Each new state of the projection is a line on standard output.
 */
import { writeSync } from 'node:fs';
import { project } from '../../dist/projection/project.js';
import { openStore } from '../../dist/stores/open.js';

const [location, version, appends] = process.argv.slice(2);
const LOGS = 20;

const store = await openStore(location);
const counts = project(store, {
  name: 'counts',
  version: Number(version),
  category: 'account',
  leaseTime: 300,
  pageSize: 7,
  initial: () => ({ events: 0, sum: 0 }),
  on: {
    Counted(state, { payload }) {
      state.events += 1;
      state.sum += payload;
    },
    Emptied: () => null,
  },
});

let last;
setInterval(() => {
  const { state } = counts.status();
  // Synchronously: what was said cannot be taken back by the kill.
  if (state !== last) writeSync(1, `${state}\n`);
  last = state;
}, 5);

while (appends !== undefined) {
  const log = `account:${Math.floor(Math.random() * LOGS)}`;
  const type = Math.random() < 0.02 ? 'Emptied' : 'Counted';
  const events = Array.from({ length: 1 + Math.floor(Math.random() * 4) }, () => ({
    type,
    payload: Math.floor(Math.random() * 100),
  }));
  await store.log.append(log, events).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 1));
}
