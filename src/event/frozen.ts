/** Values that nobody can change any more. */

/**
 * Freezes plain objects, arrays, maps and sets all the way down, so that a function which must not
 * change its arguments throws when it does. Anything else (instances of classes, which may keep
 * things in mind for themselves, bytes, functions) is left alone, and what is frozen already is not
 * looked into again.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Map.prototype || prototype === Set.prototype) {
    close(value as unknown as Map<unknown, unknown> | Set<unknown>);
  } else if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) {
    return value;
  }
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
