/**
 * `node scripts/count-tests.mjs <vitest's JSON report> …`: prints `N passed, N failed` over all of
 * them, and exits non-zero when something failed or nothing ran. A test file that could not even be
 * loaded counts as one failure, and so does a report that was not left.
 */
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const path of process.argv.slice(2)) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    const brokenFiles = report.testResults.filter(
      (file) =>
        file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    );
    passed += report.numPassedTests;
    failed += report.numFailedTests + brokenFiles.length;
  } catch (error) {
    process.stdout.write(`The tests left no report: ${error.message}\n`);
    failed += 1;
  }
}
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
