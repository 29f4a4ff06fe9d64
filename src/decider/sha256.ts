/**
 * SHA-256 (FIPS 180-4) wherever JavaScript runs, and at once: browsers have it as a promise alone,
 * and a decider has its version from the start.
 */
import { base64Of } from '../event/base64.ts';

/** The first 32 bits of the fractions of the square roots of the first 8 primes. */
const INITIAL = words(`
  6a09e667 bb67ae85 3c6ef372 a54ff53a 510e527f 9b05688c 1f83d9ab 5be0cd19
`);

/** The first 32 bits of the fractions of the cube roots of the first 64 primes. */
const ROUNDS = words(`
  428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5
  d807aa98 12835b01 243185be 550c7dc3 72be5d74 80deb1fe 9bdc06a7 c19bf174
  e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da
  983e5152 a831c66d b00327c8 bf597fc7 c6e00bf3 d5a79147 06ca6351 14292967
  27b70a85 2e1b2138 4d2c6dfc 53380d13 650a7354 766a0abb 81c2c92e 92722c85
  a2bfe8a1 a81a664b c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070
  19a4c116 1e376c08 2748774c 34b0bcb5 391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3
  748f82ee 78a5636f 84c87814 8cc70208 90befffa a4506ceb bef9a3f7 c67178f2
`);

const BLOCK = 64;
/** The bit after the text, and how long that is. */
const LEAST_PADDING = 9;
const UTF8 = new TextEncoder();

/** The hash of a text in UTF-8, as 43 characters of `A-Z a-z 0-9 - _`. */
export function sha256(text: string): string {
  const blocks = padded(UTF8.encode(text));
  const state = INITIAL.slice();
  const schedule = new Uint32Array(BLOCK);
  for (let at = 0; at < blocks.byteLength; at += BLOCK) {
    fill(schedule, blocks, at);
    compress(state, schedule);
  }
  const hash = new DataView(new ArrayBuffer(state.byteLength));
  for (const [index, word] of state.entries()) hash.setUint32(index * 4, word);
  const base64 = base64Of(new Uint8Array(hash.buffer));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
}

function padded(bytes: Uint8Array): DataView {
  const length = Math.ceil((bytes.length + LEAST_PADDING) / BLOCK) * BLOCK;
  const blocks = new Uint8Array(length);
  blocks.set(bytes);
  blocks[bytes.length] = 0x80;
  const view = new DataView(blocks.buffer);
  view.setBigUint64(length - 8, BigInt(bytes.length) * 8n);
  return view;
}

function fill(schedule: Uint32Array, blocks: DataView, at: number): void {
  for (let i = 0; i < 16; i += 1) schedule[i] = blocks.getUint32(at + i * 4);
  for (let i = 16; i < BLOCK; i += 1) {
    const early = schedule[i - 15]!;
    const late = schedule[i - 2]!;
    const mixedEarly = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
    const mixedLate = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    schedule[i] = schedule[i - 16]! + mixedEarly + schedule[i - 7]! + mixedLate;
  }
}

function compress(state: Uint32Array, schedule: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as Words;
  for (let i = 0; i < BLOCK; i += 1) {
    const chosen = (e & f) ^ (~e & g);
    const mixedE = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const first = (h + mixedE + chosen + ROUNDS[i]! + schedule[i]!) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index]! += word;
}

type Words = [number, number, number, number, number, number, number, number];

/** Turned to the right. */
function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function words(hexadecimal: string): Uint32Array {
  return Uint32Array.from(hexadecimal.trim().split(/\s+/), (word) => Number.parseInt(word, 16));
}
