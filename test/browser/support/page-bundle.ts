/** The page of the browser tests, bundled from the sources as a bundler of a user's would. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const entry = fileURLToPath(new URL('../page/page.ts', import.meta.url));

/** What a {@link Front} serves. */
export async function pageFiles(): Promise<Readonly<Record<string, string>>> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    sourcemap: 'inline',
    write: false,
  });
  const html =
    '<!doctype html><title>Millrace</title><script type="module" src="/page.js"></script>';
  return { '/page': html, '/page.js': outputFiles[0]!.text };
}
