import { domainToASCII, domainToUnicode } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalEmail, formerEmail } from '../../../src/accounts/email-address.ts';
import {
  caseFold,
  compatibilityFold,
  foldedCharacters,
  spelledInOneWay,
  spelledInWays,
} from '../../support/case-folding.ts';

describe('two addresses are the same', () => {
  const same: readonly (readonly [string, string, string])[] = [
    ['in another case', 'Han.Solo@Example.ORG', 'han.solo@example.org'],
    ['composed and decomposed', 'jose\u0301@example.org', 'jos\u00e9@example.org'],
    ['full-width and plain', '\uff28\uff41\uff4e@example.org', 'han@example.org'],
    ['with a ligature and without', 'o\ufb03ce@example.org', 'office@example.org'],
    ['with ß and ss', 'gro\u00df@example.org', 'GROSS@example.org'],
    [
      'with either sigma',
      '\u03bf\u03b4\u03bf\u03c2@example.org',
      '\u039f\u0394\u039f\u03a3@example.org',
    ],
    ['with an international domain', 'han@M\u00fcller.example', 'han@xn--mller-kva.example'],
    ['with ß in the domain, in ASCII', 'han@stra\u00dfe.example', 'han@xn--strae-oqa.example'],
    ['with a final sigma in the domain', 'han@\u03bf\u03c2.example', 'han@xn--0xag.example'],
    ['with ı in the domain, in ASCII', 'han@\u0131x.example', 'han@xn--x-eka.example'],
    ['with \u0131 and i', 'h\u0131m@example.org', 'him@example.org'],
    ['with an ideographic full stop', 'han@example\u3002org', 'han@example.org'],
  ];
  test.each(same)('%s', (_, one, other) => {
    expect(canonicalEmail(one)).toBe(canonicalEmail(other));
  });

  test.each([
    ['han@example.org', 'han+falcon@example.org'],
    ['han.solo@example.org', 'hansolo@example.org'],
    ['han@example.org', 'han@example.com'],
    ['han@example.org', 'h\u00e4n@example.org'],
    // Full case folding makes i and a dot above of İ, and եւ of և; the languages' own rules differ.
    ['\u0130@example.org', 'i@example.org'],
    ['\u0535\u054e@example.org', '\u0587@example.org'],
    // Other domains, which belong to others.
    ['han@stra\u00dfe.example', 'han@strasse.example'],
    ['han@\u03bf\u03c2.example', 'han@\u03bf\u03c3.example'],
    ['han@\u0131x.example', 'han@ix.example'],
    // What looks alike in two alphabets.
    ['a@example.org', '\u0430@example.org'],
  ])('%s and %s are not', (one, other) => {
    expect(canonicalEmail(one)).not.toBe(canonicalEmail(other));
  });
});

test.each([
  'han@example.org',
  "o'neil+tag_1{x}=y|z~!#$%&*-/?^`@sub.domain-1.example.org",
  'han@123.example.org',
  '\u7528\u6237@\u4f8b\u5b50.example',
])('%s is taken', (address) => {
  expect(() => canonicalEmail(address)).not.toThrow();
});

describe('refuses, with the field and the rule,', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /like han@example\.org/],
    [7, /like han@example\.org/],
    ['', /like han@example\.org/],
    ['han', /one @/],
    ['han@solo@example.org', /one @/],
    ['@example.org', /name before the @/],
    ['han@', /domain/],
    ['han@localhost', /domain/],
    ['han@example.org.', /domain/],
    ['han@-example.org', /domain/],
    ['han@example..org', /domain/],
    ['han@exa_mple.org', /domain/],
    ['han@127.0.0.1', /domain/],
    ['han@0x7f.1', /domain/],
    ['han@[127.0.0.1]', /domain/],
    ['han@example.org:80', /domain/],
    ['han@example.org/x', /domain/],
    ['han@%65xample.org', /domain/],
    ['han@user:x.example.org', /domain/],
    [`han@${'a'.repeat(64)}.org`, /domain/],
    ['han solo@example.org', /spaces/],
    [' han@example.org', /spaces/],
    ['han@example.org ', /domain/],
    ['"han solo"@example.org', /before the @/],
    ['han\uff1asolo@example.org', /before the @/],
    ['han\uff20example.org', /one @/],
    ['han\uff20x@example.org', /before the @/],
    ['.han@example.org', /dot/],
    ['han.@example.org', /dot/],
    ['han..solo@example.org', /dot/],
    ['han\u200bsolo@example.org', /invisible/],
    ['ha\u00adn@example.org', /invisible/],
    ['han\n@example.org', /control/],
    ['han\ud800@example.org', /invisible/],
    [`${'a'.repeat(65)}@example.org`, /64 bytes/],
    ['\u226e@example.org', /before the @/],
    ['<\u0338@example.org', /before the @/],
    [`han@${'a.'.repeat(124)}org`, /254 bytes/],
    [`han@${`${'\u3300'.repeat(6)}.`.repeat(12)}org`, /in ASCII/],
  ];
  test.each(refused)('%j', (address, rule) => {
    const refusal = expect.objectContaining({
      code: 'invalid_email',
      field: 'email',
      message: expect.stringMatching(rule),
    });
    expect(() => canonicalEmail(address as string)).toThrow(refusal);
  });
});

test('whatever comes in, it is refused by its code or has one form that stays', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .tuple(
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        fc.string({ unit: 'grapheme', maxLength: 8 }),
      )
      .map(([local, domain]) => `${local}@${domain}.org`),
  );
  fc.assert(
    fc.property(text, (address) => {
      let canonical: string;
      try {
        canonical = canonicalEmail(address);
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_email', field: 'email' });
        return;
      }
      expect(canonicalEmail(canonical)).toBe(canonical);
      const at = address.indexOf('@');
      const louder = address.slice(0, at).toUpperCase() + address.slice(at);
      expect(canonicalEmail(louder)).toBe(canonical);
      expect(canonicalEmail(address.normalize('NFD'))).toBe(canonical);
    }),
    { numRuns: 3_000 },
  );
});

/** The canonical form, or undefined where it is refused. */
function form(address: string): string | undefined {
  try {
    return canonicalEmail(address);
  } catch {
    return undefined;
  }
}

/** Spellings that are the same by the rule and do not get the same form, though both are taken. */
function slips(spellings: Iterable<string>): readonly (readonly [string, string])[] {
  const [first, ...others] = [...new Set(spellings)].flatMap((spelling) => {
    const canonical = form(spelling);
    return canonical === undefined ? [] : [[spelling, canonical] as const];
  });
  return first === undefined ? [] : others.filter(([, canonical]) => canonical !== first[1]);
}

describe('of two spellings that the rule calls the same, never both get in:', () => {
  const spellingsOf = (text: string) => {
    const fold = compatibilityFold(text);
    const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'].map((each) => text.normalize(each));
    const others = [...forms, text.toUpperCase(), text.toLowerCase(), caseFold(text), fold];
    return [text, ...others.filter((other) => compatibilityFold(other) === fold)];
  };

  test('all of Unicode before the @', () => {
    expect(spelledInWays.length).toBeGreaterThan(19_000);
    const slipped = spelledInWays.map((each) =>
      slips(spellingsOf(each).map((spelling) => `1${spelling}1@example.org`)),
    );
    expect(slipped.flat()).toEqual([]);
  });

  test('and only those, and ı with i, get the same form', () => {
    const merged = new Map<string, Set<string>>();
    for (const each of spelledInWays) {
      const canonical = form(`1${each}1@example.org`)?.slice(1, -13);
      if (canonical === undefined) continue;
      const folds = merged.get(canonical) ?? new Set([compatibilityFold(canonical)]);
      merged.set(canonical, folds.add(compatibilityFold(each)));
    }
    const beyond = [...merged.values()].filter((folds) => folds.size > 1);
    expect(beyond.map((folds) => [...folds])).toEqual([['i', '\u0131']]);
    // What there is one spelling of stays as it is.
    for (let at = 0; at < spelledInOneWay.length; at += 10) {
      const some = spelledInOneWay.slice(at, at + 10).join('');
      const canonical = form(`1${some}1@example.org`);
      if (canonical !== undefined) expect(canonical).toBe(`1${some}1@example.org`.normalize('NFC'));
    }
  });

  test('several such characters in a row, with accents and sigmas before the @', () => {
    const tricky = fc.oneof(
      fc.constantFrom(...foldedCharacters),
      fc.constantFrom(
        ...'\u03c3\u03c2\u03a3.\u0345\u0301\u0308\u0307\u0313\u0342\u0327\u0323iIkKsS',
      ),
      fc.constantFrom(...'\u1100\u1161\u11a8\uac00\u30ab\u3099\uff76\uff9e\u0b92\u0bd7'),
    );
    const text = fc.array(tricky, { minLength: 1, maxLength: 6 }).map((all) => all.join(''));
    fc.assert(
      fc.property(text, text, (one, other) => {
        const all = spellingsOf(one).flatMap(spellingsOf);
        expect(slips(all.map((spelling) => `${spelling}@example.org`))).toEqual([]);
        const mixed = [one + other, compatibilityFold(one) + other, one + compatibilityFold(other)];
        // Where the two meet, they may make something else.
        if (new Set(mixed.map(compatibilityFold)).size > 1) return;
        expect(slips(mixed.map((spelling) => `${spelling}@example.org`))).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });

  test('all of Unicode in the domain', () => {
    const slipped: unknown[] = [];
    const look = (some: string): boolean => {
      const domain = `x${some}y.example`;
      const ascii = /[\s/?#@%:[\]\\]/.test(some) ? '' : domainToASCII(domain);
      if (ascii === '') return false;
      const spellings = [domain, ascii, ascii.toUpperCase(), domainToUnicode(ascii)];
      slipped.push(...slips(spellings.map((spelling) => `han@${spelling}`)));
      return true;
    };
    for (const each of spelledInWays) look(each);
    for (let at = 0; at < spelledInOneWay.length; at += 8) {
      const some = spelledInOneWay.slice(at, at + 8);
      if (!look(some.join(''))) some.forEach(look);
    }
    expect(slipped).toEqual([]);
  });
});

test('the form of before is another one only where the domain was folded like the name', () => {
  const others = spelledInWays.flatMap((each) => {
    const address = `h@x${each}y.example`;
    const former = form(address) === undefined ? undefined : formerEmail(address);
    return former === undefined ? [] : `${each} ${former}`;
  });
  // What a capital ẞ is in a domain differs by the version of Unicode.
  expect(others.filter((other) => !other.startsWith('\u1e9e'))).toEqual([
    '\u00df h@xssy.example',
    '\u0131 h@xiy.example',
    '\u03c2 h@xn--xy-vbc.example',
    '\u{1d6a4} h@xiy.example',
  ]);
  expect(formerEmail('Han@example.org')).toBeUndefined();
  // And where an accent follows a letter with an iota below.
  expect(formerEmail('\u1f82\u0301@example.org')).toBe('\u1f02\u03af@example.org');
});
