/**
 * A worker process, to be killed, paused and started again. argv: the store, the group (also the
 * category of its logs), `manager` for a process manager, the lease time. A line on standard output for each thing
 * that it does, with the time by the machine's monotonic clock: ["begin" | "done", time, log, id].
 * An event of type `Poison` kills the process.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { decider } from '../../dist/decider/decider.js';
import { processManager } from '../../dist/process-manager/process-manager.js';
import { openStore } from '../../dist/stores/open.js';
import { work } from '../../dist/worker/work.js';

const [location, group, role, leaseTime = 400] = process.argv.slice(2);
const options = {
  category: group,
  concurrency: 4,
  leaseTime: Number(leaseTime),
  retries: { firstDelay: 5, maxDelay: 50 },
};

const store = await openStore(location);
const counter = decider({
  name: 'counter',
  initial: 0,
  log: ({ to }) => to,
  decide: ({ by }) => ({ type: 'Counted', payload: { by } }),
  evolve: (sum, { payload }) => sum + payload.by,
});

async function handle({ type, log, id }) {
  tell('begin', log, id);
  if (type === 'Poison') process.kill(process.pid, 'SIGKILL');
  if (type === 'Slow') await sleep(600);
  else if (Math.random() < 0.5) await sleep(Math.random() * 4);
  tell('done', log, id);
}

if (role === 'manager') {
  await processManager(store, {
    ...options,
    name: group,
    on: {
      async Grown(event, send) {
        const target = `${group}-target:${event.log.split(':')[1]}`;
        await send(counter, { to: target, by: 1 });
        if (Math.random() < 0.3) await sleep(2);
        await send(counter, { to: target, by: 10 });
      },
    },
  });
} else {
  await work(store, { ...options, group, handler: handle });
}
tell('ready');

function tell(...words) {
  const [what, ...rest] = words;
  // Synchronously: what was said cannot be taken back by the kill.
  writeSync(1, `${JSON.stringify([what, Number(process.hrtime.bigint()), ...rest])}\n`);
}
