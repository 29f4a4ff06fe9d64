/** Where things are in a checkout, and the one thing it needs that cannot be installed from here: Node. */
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Says what is wrong, without a stack trace, and ends the process. */
export function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(
    `Millrace needs Node.js 20.19 or later; this is ${process.versions.node}. See https://nodejs.org`,
  );
}
