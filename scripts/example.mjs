/** `npm run example NAME …`: builds Millrace and its examples, and runs one of them. */
import { pathToFileURL } from 'node:url';
import { buildExamples, exampleNames, exampleProgram } from './build-examples.mjs';
import { fail } from './checkout.mjs';
import { ensureInstalled } from './install.mjs';

const [name, ...parameters] = process.argv.slice(2);
const names = exampleNames();
if (!names.includes(name)) {
  fail(`Which example? One of: ${names.join(', ')}. As in: npm run example ${names[0]}`);
}

ensureInstalled();
const { ensureBuilt } = await import('./build.mjs');
ensureBuilt();
buildExamples();

// The example sees its arguments as if it had been started by itself.
process.argv.splice(1, process.argv.length, exampleProgram(name), ...parameters);
await import(pathToFileURL(exampleProgram(name)).href);
