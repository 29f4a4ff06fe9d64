/** `npm run test:browser`: as `npm test`, with the tests that need a browser, and gets that. */
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { ensureChromium } from './test-programs.mjs';
import { runVitest } from './vitest.mjs';

ensureInstalled();
process.env.CHROMIUM = ensureChromium();
ensureBuilt();
runVitest(['--config', 'vitest.browser.config.ts', ...process.argv.slice(2)]);
