/** Inputs that are nearly right: valid ones, changed in a few places. They get further than noise does. */
import fc from 'fast-check';

/** What parsers stumble over. */
const MORSELS = [
  ...['"', "'", '\\', '{', '}', '[', ']', ':', ',', '\0', '\n', '\r', '\r\n', '\t', ' ', ''],
  ...['%', '%00', '%ff', '%2e%2e%2f', '../', '//', '?', '#', '&', '=', ';', '+', '-', '.', '*'],
  ...['0', '-0', '-1', '1e999', '9007199254740993', '18446744073709551616', '0x10', 'NaN', 'null'],
  ...['true', '[]', '{}', '__proto__', 'constructor', 'toString', '\u{1f600}', '\ud800', '\ufeff'],
  ...['é', '\u202e', '0-0', 'now', 'account:1', 'a'.repeat(300), '['.repeat(200)],
];

type Edit = (text: string) => string;

const edit: fc.Arbitrary<Edit> = fc
  .record({
    kind: fc.constantFrom('insert', 'delete', 'replace', 'repeat', 'cut', 'swap', 'flip'),
    place: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 12 }),
    morsel: fc.oneof(fc.constantFrom(...MORSELS), fc.string({ unit: 'binary', maxLength: 4 })),
  })
  .map(({ kind, place, length, morsel }) => (text) => {
    const at = Math.floor(place * (text.length + 1));
    const before = text.slice(0, at);
    const part = text.slice(at, at + length);
    const after = text.slice(at + length);
    switch (kind) {
      case 'insert':
        return before + morsel + part + after;
      case 'delete':
        return before + after;
      case 'replace':
        return before + morsel + after;
      case 'repeat':
        return before + part.repeat(4) + after;
      case 'cut':
        return before;
      case 'swap':
        return before + [...part].reverse().join('') + after;
      default:
        return before + flipped(part) + after;
    }
  });

/** One of `valid`, with up to `most` changes; now and then with none. */
export function mutated(valid: readonly string[], most = 4): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { maxLength: most }))
    .map(([text, edits]) => edits.reduce((changed, change) => change(changed), text));
}

/** JSON that stays JSON: one of `valid`, with some values in it put in another's place. */
export function mutatedJson(valid: readonly string[], most = 2): fc.Arbitrary<string> {
  const change = fc.record({
    place: fc.nat(),
    value: fc.oneof(fc.constantFrom<unknown>(...VALUES), fc.jsonValue(), mutated(MORSELS, 1)),
    kind: fc.constantFrom('replace', 'remove', 'rename', 'edit'),
    edits: fc.array(edit, { minLength: 1, maxLength: 2 }),
  });
  return fc
    .tuple(fc.constantFrom(...valid), fc.array(change, { maxLength: most }))
    .map(([text, changes]) => {
      const root = { value: JSON.parse(text) as unknown };
      for (const { place, value, kind, edits } of changes) {
        const slots = slotsOf(root);
        const slot = slots[place % slots.length];
        if (slot === undefined) continue;
        const { holder, key } = slot;
        const old = holder[key];
        if (kind === 'remove') delete holder[key];
        else if (kind === 'rename') holder[`${key}x`] = old;
        else if (kind === 'edit' && typeof old === 'string') {
          holder[key] = edits.reduce((changed, one) => one(changed), old);
        } else holder[key] = structuredClone(value);
      }
      return JSON.stringify(root.value) ?? '';
    });
}

/** What is JSON and nevertheless wrong nearly everywhere. */
const VALUES = [null, true, 0, -1, 0.5, 1e300, 2 ** 53, '', [], {}, [[]], [{}], 'x'.repeat(300)];

type Holder = Record<string, unknown>;

function slotsOf(value: unknown): { holder: Holder; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Holder;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...slotsOf(holder[key])]);
}

/** The same for bytes. */
export function mutatedBytes(valid: readonly Buffer[], most = 4): fc.Arbitrary<Buffer> {
  const texts = valid.map((bytes) => bytes.toString('latin1'));
  return mutated(texts, most).map((text) => Buffer.from(text, 'latin1'));
}

function flipped(part: string): string {
  if (part === '') return part;
  const code = part.charCodeAt(0) ^ (1 << (part.length % 8));
  return String.fromCharCode(code) + part.slice(1);
}
