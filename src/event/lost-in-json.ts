/** Whether a value comes back from JSON as it went in. */

/** The rule for such values. @param purpose as in "for snapshots" */
export function jsonValueRule(purpose: string): string {
  return `must be a JSON value ${purpose} (plain objects, arrays, strings, finite numbers, booleans, null)`;
}

/**
 * The place in `value` that JSON would lose or change (a Map, a Date, a class, NaN, …), like
 * `state.members`; undefined when there is none. A member that is `undefined` counts as absent.
 * It must not contain itself.
 */
export function lostInJson(value: unknown, place = 'state'): string | undefined {
  const below = lostBelow(value);
  return below === undefined ? undefined : place + below;
}

/** The way to it, put together only where there is one: most values are whole. */
function lostBelow(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : '';
    case 'object':
      break;
    default:
      return '';
  }
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const below = lostBelow(value[index]);
      if (below !== undefined) return `[${index}]${below}`;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return '';
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    const below = lostBelow(member);
    if (below !== undefined) return `.${name}${below}`;
  }
  return undefined;
}
