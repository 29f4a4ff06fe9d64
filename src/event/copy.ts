/** Copies of values that somebody may change. */

/**
 * A copy all the way down of plain objects, arrays, maps, sets and dates: what is changed in there
 * is not changed in the value. Anything else (instances of classes, functions, bytes) is shared.
 */
export function copyOf<T>(value: T): T {
  return typeof value === 'object' && value !== null ? (copy(value, new Map()) as T) : value;
}

function copy(value: unknown, known: Map<unknown, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const before = known.get(value);
  if (before !== undefined) return before;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    known.set(value, items);
    for (const item of value) items.push(copy(item, known));
    return items;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const members = Object.create(prototype) as Record<string, unknown>;
    known.set(value, members);
    for (const [name, member] of Object.entries(value)) members[name] = copy(member, known);
    return members;
  }
  if (prototype === Date.prototype) return new Date((value as Date).getTime());
  if (prototype === Map.prototype) {
    const entries = new Map<unknown, unknown>();
    known.set(value, entries);
    for (const [key, member] of value as Map<unknown, unknown>) {
      entries.set(copy(key, known), copy(member, known));
    }
    return entries;
  }
  if (prototype === Set.prototype) {
    const members = new Set<unknown>();
    known.set(value, members);
    for (const member of value as Set<unknown>) members.add(copy(member, known));
    return members;
  }
  return value;
}
