/** `npm test`: installs and builds what is missing, gets the programs that the tests need, runs vitest with the arguments given. */
import { ensureBuilt } from './build.mjs';
import { buildExamples } from './build-examples.mjs';
import { ensureInstalled } from './install.mjs';
import { ensureTestPrograms } from './test-programs.mjs';
import { runVitest } from './vitest.mjs';

ensureInstalled();
ensureTestPrograms();
ensureBuilt();
buildExamples();
runVitest(process.argv.slice(2));
