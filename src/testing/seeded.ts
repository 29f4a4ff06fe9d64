/** Chance that can be played again: the same seed makes the same choices. */

/** Numbers from 0 up to, but not including, 1 (mulberry32): hand it to whatever takes a `random`. */
export function seededRandom(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** IDs of 16 hexadecimal digits, for accounts, commands and whatever else needs one. */
export function seededIds(seed = 1): () => string {
  const random = seededRandom(seed);
  const half = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return () => half() + half();
}
