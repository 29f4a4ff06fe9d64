/**
 * `npm run sizes`: what a page loads of the client, minified by esbuild and gzipped, beside what
 * it may at most be. With `--modules`, what each module takes of it, before gzip.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './checkout.mjs';

const KB = 1_024;
const source = (path) => join(root, 'src', path);

const connect = `export { connect } from '${source('client/client.ts')}';\n`;
const isKept = existsSync(source('client/indexeddb/indexeddb.ts'));
const indexedDb = `export { indexedDb } from '${source('client/indexeddb/indexeddb.ts')}';\n`;
const views = `export { handle, view } from '${source('client/client.ts')}';\n`;
const react = `export * from '${source('react/react.ts')}';\n`;

/** What is imported, beyond what else, and how large it may be. */
const MEASURED = [
  { name: 'connect', code: connect, atMost: 6 * KB },
  ...(isKept
    ? [{ name: 'indexedDb', code: connect + indexedDb, beyond: connect, atMost: 5 * KB }]
    : []),
  { name: 'view and handle', code: connect + views, beyond: connect },
  { name: 'react', code: connect + views + react, beyond: connect + views, atMost: 2 * KB },
  { name: 'all of it', code: connect + views + (isKept ? indexedDb : '') + react },
];

async function bundled(contents) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['react', 'react/jsx-runtime'],
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    metafile: true,
    legalComments: 'none',
  });
  const [output] = Object.values(metafile.outputs);
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, inputs: output.inputs };
}

const isPrinting = process.argv.includes('--modules');
const lines = [];
let isTooLarge = false;
for (const { name, code, beyond, atMost } of MEASURED) {
  const { bytes, inputs } = await bundled(code);
  const added = bytes - (beyond === undefined ? 0 : (await bundled(beyond)).bytes);
  const above = atMost !== undefined && added > atMost;
  isTooLarge ||= above;
  lines.push(
    [
      name.padEnd(16),
      `${beyond === undefined ? ' ' : '+'}${added.toLocaleString('en')} B`.padStart(10),
      atMost === undefined ? '' : `  at most ${atMost.toLocaleString('en')} B`,
      above ? `  ${(added - atMost).toLocaleString('en')} B TOO MANY` : '',
    ].join(''),
  );
  if (!isPrinting) continue;
  const modules = Object.entries(inputs)
    .map(([path, { bytesInOutput }]) => ({ path, bytesInOutput }))
    .sort((a, b) => b.bytesInOutput - a.bytesInOutput);
  for (const { path, bytesInOutput } of modules) {
    lines.push(`    ${bytesInOutput.toLocaleString('en').padStart(8)}  ${path}`);
  }
}
process.stdout.write(`${lines.join('\n')}\n`);
if (isTooLarge) {
  process.stderr.write('A page would load more than was promised: npm run sizes -- --modules\n');
  process.exitCode = 1;
}
