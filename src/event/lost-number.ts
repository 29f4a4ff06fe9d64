/** Numbers that JSON has no word for, and writes as `null`. */

/**
 * The place in `value` of a number that is not finite, like `payload.items[3].price`; undefined
 * when there is none. `text` is the value as JSON: without a `null` in it, nothing is looked into.
 */
export function lostNumber(value: unknown, text: string, place: string): string | undefined {
  return text.includes('null') ? look(value, place) : undefined;
}

function look(value: unknown, place: string): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : place;
  if (typeof value !== 'object' || value === null) return undefined;
  // What says itself how it is written answers for that.
  if ('toJSON' in value && typeof value.toJSON === 'function') return undefined;
  const list = Array.isArray(value);
  for (const [key, member] of Object.entries(value)) {
    // Most members are neither: for them no place is put together.
    if (typeof member !== 'number' && typeof member !== 'object') continue;
    if (member === null || Number.isFinite(member)) continue;
    const lost = look(member, list ? `${place}[${key}]` : `${place}.${key}`);
    if (lost !== undefined) return lost;
  }
  return undefined;
}
