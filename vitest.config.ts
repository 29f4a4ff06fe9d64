import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  // The examples and the guide import Millrace by its name, as users do.
  resolve: {
    alias: [
      { find: /^millrace$/, replacement: source('index.ts') },
      { find: /^millrace\/testing$/, replacement: source('testing/testing.ts') },
      { find: /^millrace\/client$/, replacement: source('client/client.ts') },
      {
        find: /^millrace\/client\/indexeddb$/,
        replacement: source('client/indexeddb/indexeddb.ts'),
      },
      { find: /^millrace\/react$/, replacement: source('react/react.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Needs a browser: npm run test:browser
    exclude: ['test/browser/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
