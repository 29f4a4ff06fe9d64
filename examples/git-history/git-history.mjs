/**
 * Turns the history of a git repository into account logs: each author an account, each commit
 * an event in its author's log, oldest first. With `millrace serve` (or `npm start`) running:
 *
 *   node examples/git-history/git-history.mjs [repository: .] [gateway: http://127.0.0.1:4000]
 *
 * Run it twice, interrupt it, run it again after a pull: every commit is a producer of its own,
 * with one append, so the gateway knows which it has already (for seven days).
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { SingleBar } from 'cli-progress';

const FIELDS = ['%H', '%aN', '%aE', '%aI', '%B'];
const SIDE_BY_SIDE = 32;
const ATTEMPTS = 6;
const LONGEST_MESSAGE = 100_000;

/**
 * A valid account ID (`A-Z a-z 0-9 . _ -`), a different one for every address: percent-encoding
 * with underscores, so `ada@example.com` is `ada_40example.com`.
 */
function accountOf(email) {
  const hex = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  const id = encodeURIComponent(email)
    .replace(/[!'()*~_]/g, hex)
    .replaceAll('%', '_');
  if (id.length <= 128) return id || '_';
  return `${id.slice(0, 87)}_${createHash('sha1').update(email).digest('hex')}`;
}

/** What HEAD has behind it: per account its commits, parents before children. */
async function readHistory(repository) {
  const format = `--format=${FIELDS.join('%x00')}`;
  const args = ['-C', repository, 'log', '-z', '--reverse', '--topo-order', format];
  const { stdout } = await promisify(execFile)('git', args, { maxBuffer: Infinity });
  const fields = stdout.split('\0');
  const history = new Map();
  for (let index = 0; index + FIELDS.length < fields.length; index += FIELDS.length) {
    const [hash, name, email, date, text] = fields.slice(index, index + FIELDS.length);
    const account = accountOf(email);
    const message = text.trimEnd().slice(0, LONGEST_MESSAGE).toWellFormed();
    if (!history.has(account)) history.set(account, []);
    history.get(account).push({ hash, author: { name, email }, date, message });
  }
  return history;
}

/** Appends a commit; answers whether its log had it already, which is what makes repeating safe. */
async function append(gateway, account, commit, attempt = 1) {
  const producer = { 'producer-id': `git:${commit.hash}`, 'producer-epoch': 0, 'producer-seq': 0 };
  const response = await fetch(`${gateway}/accounts/${account}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...producer },
    body: JSON.stringify({ type: 'Committed', payload: commit }),
  }).catch((error) => ({ status: 503, text: () => `${gateway}: ${error.cause ?? error}` }));
  if (response.ok) return (await response.json()).duplicate;
  const reason = await response.text();
  if (response.status < 500 || attempt === ATTEMPTS) throw new Error(reason);
  await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
  return append(gateway, account, commit, attempt + 1);
}

/** Imports the history: one author's commits one after the other, several authors side by side. */
async function importHistory(repository, gateway, onProgress) {
  const history = await readHistory(repository);
  const total = [...history.values()].reduce((sum, commits) => sum + commits.length, 0);
  const counts = { accounts: history.size, total, appended: 0, present: 0 };
  const queue = history.entries();
  const work = async () => {
    for (const [account, commits] of queue) {
      for (const commit of commits) {
        const present = await append(gateway, account, commit);
        counts[present ? 'present' : 'appended'] += 1;
        onProgress(counts);
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  return counts;
}

const [repository = '.', gateway = 'http://127.0.0.1:4000'] = process.argv.slice(2);
const bar = new SingleBar({ format: '{bar} {value} of {total} commits, {eta_formatted} to go' });
try {
  bar.start(0, 0);
  const { accounts, appended, present } = await importHistory(repository, gateway, (counts) => {
    bar.setTotal(counts.total);
    bar.update(counts.appended + counts.present);
  });
  bar.stop();
  console.log(`${accounts} accounts: ${appended} commits appended, ${present} already there`);
} catch (error) {
  bar.stop();
  console.error(error.message);
  process.exitCode = 1;
}
