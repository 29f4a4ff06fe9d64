import { expect, test } from 'vitest';
import { InvalidInput, MillraceError } from '../../../src/event/error.ts';
import { ZERO_ID } from '../../../src/event/event-id.ts';
import { Unavailable, VersionConflict } from '../../../src/event/store-errors.ts';
import { httpStatus } from '../../../src/protocol/problem.ts';

test.each([
  [new InvalidInput('limit', 'must be a number'), 400],
  [new VersionConflict('account:1' as never, ZERO_ID, ZERO_ID), 412],
  [new Unavailable('Redis is away'), 503],
  [new MillraceError('made_up', 'nobody knows this one'), 500],
  [new Error('an error of the application'), 500],
  ['thrown as it is', 500],
  [undefined, 500],
])('the status of %s is %i', (error, status) => {
  expect(httpStatus(error)).toBe(status);
});
