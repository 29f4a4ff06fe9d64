/**
 * The process that the kill test kills. Writers append to the embedded log in the folder argv[2],
 * each with a producer of its own, going on with the seqs in argv[3] (JSON, by writer); a line on
 * standard output for each append that was answered: `[writer, seq, ids, duplicate]`.
 *
 * Append number `seq` of a writer has 1 + seq % 4 events, with the payloads `writer seq index`.
 */
import { writeSync } from 'node:fs';
import { EmbeddedLog } from '../../dist/stores/embedded/log/embedded-log.js';

const log = await EmbeddedLog.open(process.argv[2]);
const start = JSON.parse(process.argv[3]);

await Promise.all(Object.entries(start).map(([writer, seq]) => write(writer, seq)));

async function write(writer, first) {
  for (let seq = first; ; seq++) {
    const events = Array.from({ length: 1 + (seq % 4) }, (_, index) => ({
      type: 'Written',
      payload: `${writer} ${seq} ${index}`,
    }));
    const producer = { id: writer, epoch: 0, seq };
    const { ids, duplicate } = await log.append(logOf(writer), events, { producer });
    // Synchronously: what was said cannot be taken back by the kill.
    writeSync(1, `${JSON.stringify([writer, seq, ids, duplicate])}\n`);
  }
}

/** Several writers share a log. */
function logOf(writer) {
  return `account:${Number(writer.slice(1)) % 3}`;
}
