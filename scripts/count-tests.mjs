/**
 * `node scripts/count-tests.mjs <vitest's JSON report>`: prints `N passed, N failed`, and exits
 * non-zero when something failed or nothing ran. A test file that could not even be loaded
 * counts as one failure.
 */
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  passed = report.numPassedTests;
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  failed = report.numFailedTests + brokenFiles.length;
} catch (error) {
  process.stdout.write(`The tests left no report: ${error.message}\n`);
}
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
