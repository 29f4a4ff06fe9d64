/**
 * A process of the accounts test, to be killed and paused. Registers, changes and closes accounts
 * on the store argv[2], several at once, with addresses that it shares with all the others. A line
 * on standard output for each answer: `[does, id, email]`; refusals are not told.
 */
import { writeSync } from 'node:fs';
import { createAccounts } from '../../dist/accounts/accounts.js';
import { openStore } from '../../dist/stores/open.js';

const [location, addresses, claimTime] = process.argv.slice(2);
const AT_ONCE = 4;

const { log, records } = await openStore(location);
const accounts = createAccounts({
  log,
  records,
  claimTime: Number(claimTime),
  sweepInterval: Number(claimTime),
});
writeSync(1, '["ready"]\n');

await Promise.all(Array.from({ length: AT_ONCE }, live));

async function live() {
  for (;;) {
    try {
      const [does, id, email] = await act();
      // Synchronously: what was said cannot be taken back by the kill.
      writeSync(1, `${JSON.stringify([does, id, email])}\n`);
    } catch (error) {
      if (error.code === undefined) throw error;
    }
  }
}

async function act() {
  const email = `user${below(Number(addresses))}@example.org`;
  const chance = Math.random();
  if (chance < 0.35) return ['register', (await accounts.register({ email })).id, email];
  // Mostly those that were registered last: the others are closed.
  const last = Number((await records.get('account_id')) ?? 0);
  const id = String(Math.max(1, last - below(20)));
  if (chance < 0.7) return ['changeEmail', (await accounts.changeEmail(id, email)).id, email];
  return ['close', (await accounts.close(id)).id, email];
}

function below(limit) {
  return Math.floor(Math.random() * limit);
}
