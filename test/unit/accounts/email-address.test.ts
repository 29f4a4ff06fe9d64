import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalEmail } from '../../../src/accounts/email-address.ts';

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
      expect(canonicalEmail(address.toUpperCase())).toBe(canonical);
      expect(canonicalEmail(address.normalize('NFD'))).toBe(canonical);
    }),
    { numRuns: 3_000 },
  );
});
