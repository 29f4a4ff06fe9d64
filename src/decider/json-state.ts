/** Whether a state comes back from JSON as it went in. */

/**
 * The place in `value` that JSON would lose or change (a Map, a Date, a class, NaN, …), like
 * `state.members`; undefined when there is none. A member that is `undefined` counts as absent.
 */
export function lostInJson(value: unknown, place = 'state'): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : place;
    case 'object':
      break;
    default:
      return place;
  }
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    return firstOf(value.keys(), (index) => lostInJson(value[index], `${place}[${index}]`));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return place;
  return firstOf(Object.entries(value), ([key, member]) =>
    member === undefined ? undefined : lostInJson(member, `${place}.${key}`),
  );
}

function firstOf<T>(items: Iterable<T>, look: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
