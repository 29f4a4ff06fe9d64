/**
 * A shared task list: this starts its gateway, and Vite for the page. Built with `npx vite build examples/tasks`,
 * the page runs behind any gateway of its origin.
 *
 *   npm run example tasks             (--port 4010; --data FOLDER keeps the list)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGateway, createLive, listen, openLog } from 'millrace';
import { createServer } from 'vite';
import { list } from './list.ts';

const options = { port: { type: 'string', default: '4010' }, data: { type: 'string' } } as const;
const { port, data } = parseArgs({ options }).values;
const folder = data ?? mkdtempSync(join(tmpdir(), 'millrace-tasks-'));
const log = await openLog(folder);
// Pages append the events of the list to such logs, and nothing else.
const appendTypes = list.events?.types.map((type) => `tasks=${type}`) ?? [];
const gateway = createGateway({ log, live: createLive({ log }), appendTypes });
const { url } = await listen(gateway, { port: 0 });

// The page finds the gateway at its own origin, as behind the proxy of a real site.
const proxy = { '^/(ws|logs)[/?]': { target: url, ws: true } };
const pages = await createServer({
  root: fileURLToPath(new URL('examples/tasks', import.meta.resolve('millrace/package.json'))),
  ...{ configFile: false, logLevel: 'error' },
  server: { host: '127.0.0.1', port: Number(port), strictPort: true, proxy },
});

async function end(): Promise<void> {
  await pages.close();
  await log.close(); // The gateway with it.
  if (data === undefined) rmSync(folder, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
try {
  await pages.listen();
  const address = `${pages.resolvedUrls?.local[0]}?account`;
  console.log(`Open these side by side; Ctrl-C ends it.\n  ${address}=ada\n  ${address}=bob`);
} catch (error) {
  console.error(`The page cannot be served: ${error}. Choose another port with --port.`);
  process.exitCode = 1;
  await end();
}
