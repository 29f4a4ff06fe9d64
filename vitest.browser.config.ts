/** `npm run test:browser`: what only a real browser shows. Not part of `npm test`, which needs none. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Each test has browsers of its own, and measures nothing: one file after the other.
    maxWorkers: 1,
  },
});
