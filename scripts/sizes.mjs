/**
 * `npm run sizes`: what a page loads of the client, minified by esbuild and gzipped, beside what
 * it may at most be and what is aimed at. What a page loads later, if ever, is a line of its own.
 * With `--modules`, what each module takes of it, before gzip.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './checkout.mjs';

const KB = 1_024;
const source = (path) => join(root, 'src', path);

const connect = `export { connect } from '${source('client/client.ts')}';\n`;
const indexedDb = `export { indexedDb } from '${source('client/indexeddb/indexeddb.ts')}';\n`;
const views = `export { handle, view } from '${source('client/client.ts')}';\n`;
const react = `export * from '${source('react/react.ts')}';\n`;

/** What is imported, beyond what else, and how large it may be: what was reached, and a little room. */
const MEASURED = [
  { name: 'connect', code: connect, atMost: 88 * 256, aim: 6 * KB },
  { name: 'indexedDb', code: connect + indexedDb, beyond: connect, atMost: 26 * 256, aim: 5 * KB },
  { name: 'view and handle', code: connect + views, beyond: connect, atMost: 20 * 256 },
  {
    name: 'react',
    code: connect + views + react,
    beyond: connect + views,
    atMost: 4 * 256,
    aim: 2 * KB,
  },
  { name: 'all of it', code: connect + views + indexedDb + react },
];

/** The chunks that are loaded at once, together, and those that are imported when they are needed. */
async function bundled(contents) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    splitting: true,
    outdir: 'out',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['react', 'react/jsx-runtime'],
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    metafile: true,
    legalComments: 'none',
  });
  const { outputs } = metafile;
  const atOnce = new Set();
  const load = (path) => {
    if (atOnce.has(path)) return;
    atOnce.add(path);
    for (const { path: other, kind, external } of outputs[path].imports) {
      if (kind === 'import-statement' && external !== true) load(other);
    }
  };
  load(Object.keys(outputs).find((path) => outputs[path].entryPoint === '<stdin>'));
  // One after the other, as if they were one file: servers and bundlers differ in how they cut it.
  const sizeOf = (isMeant) => {
    const meant = outputFiles.filter((_file, index) => isMeant(Object.keys(outputs)[index]));
    return gzipSync(Buffer.concat(meant.map((file) => file.contents)), { level: 9 }).length;
  };
  return {
    bytes: sizeOf((path) => atOnce.has(path)),
    later: sizeOf((path) => !atOnce.has(path)),
    inputs: Object.assign({}, ...[...atOnce].map((path) => outputs[path].inputs)),
  };
}

const bytesOf = (count) => `${count.toLocaleString('en')} B`;

const isPrinting = process.argv.includes('--modules');
const lines = [];
let isTooLarge = false;
for (const { name, code, beyond, atMost, aim } of MEASURED) {
  const { bytes, later, inputs } = await bundled(code);
  const added = bytes - (beyond === undefined ? 0 : (await bundled(beyond)).bytes);
  const above = atMost !== undefined && added > atMost;
  isTooLarge ||= above;
  lines.push(
    [
      name.padEnd(16),
      `${beyond === undefined ? ' ' : '+'}${bytesOf(added)}`.padStart(10),
      atMost === undefined ? '' : `  at most ${bytesOf(atMost)}`,
      aim === undefined ? '' : `  aim ${aim / KB} KB`,
      above ? `  ${bytesOf(added - atMost)} TOO MANY` : '',
    ].join(''),
  );
  if (code === connect) lines.push(`${'  later'.padEnd(16)}${bytesOf(later).padStart(10)}`);
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
