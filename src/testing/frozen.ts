/** Values that nobody can change any more. */

/**
 * Freezes plain objects and arrays all the way down, so that a function that must not change its
 * arguments throws when it does. Maps, sets and bytes cannot be frozen and are left alone.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
