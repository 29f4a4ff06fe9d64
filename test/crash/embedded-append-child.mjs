/**
 * The process that the durability test traces. Appends to the store in the folder argv[2], in the
 * way argv[3], argv[4] times, and says on standard output what it learns, and when:
 *
 *   acknowledged-N   the append of payload N was acknowledged
 *   told-N           a follower was told of it
 *   seen-N           a reader got it
 *
 *   log       through EmbeddedLog, as an application does
 *   nosync    through LMDB alone, without a flush: what the test must not let pass
 *   visible   through LMDB with lmdb-js' own settings, acknowledged as soon as a reader sees it:
 *             committed, and not flushed yet; nor may this pass
 */
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

const [folder, way, times] = process.argv.slice(2);

// Synchronously, so that no buffer delays it.
const say = (what, payload) => writeSync(1, `${payload.replace('payload', what)}\n`);

const append = await { log: throughLog, nosync: withoutFlush, visible: whenVisible }[way]();
for (let index = 0; index < Number(times); index += 2) {
  // Two at a time, to share a commit.
  await Promise.all(
    [index, index + 1].map(async (number) => {
      const payload = `payload-${number}-of-this-test`;
      await append(payload);
      say('acknowledged', payload);
    }),
  );
}
// The reader is a turn of the event loop behind.
await setImmediate();
await setImmediate();
process.exit(0);

async function throughLog() {
  const { EmbeddedLog } = await import('../../dist/stores/embedded/log/embedded-log.js');
  const log = await EmbeddedLog.open(folder);
  await log.follow('account:1', {
    events: (_, events) => {
      for (const { payload } of events) say('told', payload);
    },
    wake: () => {},
    position: () => '0-0',
  });
  void watch(log);
  return (payload) => log.append('account:1', [{ type: 'Tested', payload }]);
}

async function watch(log) {
  for (let after = '0-0'; ; await setImmediate()) {
    for (const { id, payload } of (await log.read('account:1', { after })).events) {
      say('seen', payload);
      after = id;
    }
  }
}

async function withoutFlush() {
  const { open } = await import('lmdb');
  const root = open(folder, { noSubdir: false, noSync: true, encoding: 'string' });
  return (payload) => root.put(payload, payload);
}

async function whenVisible() {
  const { open } = await import('lmdb');
  const root = open(folder, { noSubdir: false, encoding: 'string' });
  return async (payload) => {
    void root.put(payload, payload);
    while (root.get(payload) === undefined) {
      await setImmediate();
      root.resetReadTxn();
    }
  };
}
