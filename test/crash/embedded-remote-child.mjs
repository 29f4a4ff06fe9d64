/**
 * A process with an embedded log that does as it is told: one JSON line in, `[method, ...arguments]`,
 * one JSON line out, `{ "ok": … }` or `{ "code": …, "message": … }`. The folder is argv[2].
 */
import { createInterface } from 'node:readline';
import { EmbeddedLog } from '../../dist/stores/embedded/log/embedded-log.js';

let log;
const methods = {
  open: async () => {
    log = await EmbeddedLog.open(process.argv[2]);
  },
  append: (...args) => log.append(...args),
  read: (...args) => log.read(...args),
  trim: (...args) => log.trim(...args),
  close: () => log.close(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...args] = JSON.parse(line);
  const answer = await methods[method](...args).then(
    (value) => ({ ok: value ?? null }),
    ({ code, message }) => ({ code, message }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
