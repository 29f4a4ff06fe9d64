/** Values that nobody can change any more. */

/**
 * Freezes a value all the way down, so that a function which must not change its arguments throws
 * when it does. Maps and sets refuse to be changed from then on, too; bytes cannot be frozen, and
 * are left alone. What is frozen already is not looked into again.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  if (value instanceof Map || value instanceof Set) close(value);
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}

/** To freeze a map or a set keeps nobody from its entries. */
function close(collection: Map<unknown, unknown> | Set<unknown>): void {
  for (const name of ['set', 'add', 'delete', 'clear']) {
    if (name in collection) Object.defineProperty(collection, name, { value: refuse });
  }
  collection.forEach((value, key) => {
    deepFreeze(key);
    deepFreeze(value);
  });
}

function refuse(): never {
  throw new TypeError('Cannot change a collection that is frozen');
}
