/** What a state weighs, about, whatever a structured clone can be made of it is made of. */

/** @returns whether it is at most so many bytes */
export function weighsAtMost(most: number, value: unknown): boolean {
  let weight = 0;
  // A list of what is left, as states may be deep; one that is cyclic weighs without end.
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    weight += 8;
    if (typeof next === 'string') weight += next.length;
    else if (next instanceof ArrayBuffer || ArrayBuffer.isView(next)) weight += next.byteLength;
    else if (next instanceof Map) for (const pair of next) left.push(...pair);
    else if (next instanceof Set) for (const member of next) left.push(member);
    else if (typeof next === 'object' && next !== null) {
      for (const [name, member] of Object.entries(next)) {
        weight += name.length;
        left.push(member);
      }
    }
    if (weight > most) return false;
  }
  return true;
}
