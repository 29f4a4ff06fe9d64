/**
 * `npm start`: installs and builds what is missing, then is `millrace serve` with the flags given.
 * In this process, not in a child of it, and package.json has the shell `exec` it: whoever signals
 * npm signals the server, and npm ends as the server ends.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt } from './build.mjs';
import { root } from './checkout.mjs';
import { ensureInstalled } from './install.mjs';

ensureInstalled();
ensureBuilt();

const cli = join(root, 'dist', 'cli', 'millrace.js');
process.argv = [process.execPath, cli, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(cli).href);
