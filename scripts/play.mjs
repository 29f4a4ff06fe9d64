/** `npm run play`: `millrace serve` that builds and starts again whenever src/ changes. */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { root } from './checkout.mjs';
import { ensureInstalled } from './install.mjs';

ensureInstalled();

const flags = process.argv.slice(2);
let server;
let again = false;
let timer;

function start() {
  server = spawn(process.execPath, [join(root, 'scripts', 'start.mjs'), ...flags], {
    stdio: 'inherit',
  });
  server.once('exit', (code) => {
    server = undefined;
    if (again) restart();
    else if (code !== 0) process.stderr.write('It waits for the next change in src/ …\n');
  });
}

function restart() {
  again = server !== undefined;
  if (again) server.kill('SIGTERM');
  else start();
}

// Editors save in bursts.
watch(join(root, 'src'), { recursive: true }, () => {
  clearTimeout(timer);
  timer = setTimeout(restart, 200);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    if (server === undefined) process.exit(0);
    server.once('exit', () => process.exit(0));
    server.kill(signal);
  });
}

start();
