/**
 * Email addresses: which we take, and when two are the same.
 *
 *   before the @   Unicode's compatibility caseless match (definition D146 in chapter 3 of the
 *                  standard: full case folding and NFKC), and `ı` counts as `i`. So `groß`, `GROSS`
 *                  and `ｇｒｏss` are one; `İ` folds to `i` with a dot above, which is not `i`.
 *   after the @    UTS 46 as the URL standard applies it (not transitional): `Müller.example` and
 *                  `xn--mller-kva.example` are one; `straße.example` and `strasse.example` are two
 *                  domains with two owners.
 *
 * That is stricter than mail servers, which may tell `Han@` from `han@`: nobody should get an
 * address that looks like somebody else's. What looks alike in two alphabets are two addresses.
 *
 * Quoted local parts, comments and address literals are not taken, though RFC 5321 knows them.
 */
import { InvalidInput } from '../event/error.ts';

const MAX_BYTES = 254; // RFC 5321 section 4.5.3.1.3, without the angle brackets
const MAX_LOCAL_BYTES = 64; // section 4.5.3.1.1
const MAX_LABEL = 63;

const UNSEEN =
  /[\p{Control}\p{Format}\p{Surrogate}\p{Unassigned}\p{Default_Ignorable_Code_Point}]/u;
const NOT_IN_LOCAL = /[\s"(),:;<>[\\\]@]/u;
const NOT_IN_DOMAIN = /[\s/?#@%:[\]\\]/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

const encoder = new TextEncoder();

/**
 * The form in which addresses are compared.
 * @throws InvalidInput (`invalid_email`) with the field and the rule
 */
export function canonicalEmail(given: string, field = 'email'): string {
  return canonical(given, field, NOW);
}

/**
 * The form in which an address was compared before the rule was the one above, if it is another
 * one: accounts of that time still hold it. Domains were folded like names, so ß was ss there.
 */
export function formerEmail(given: string): string | undefined {
  const now = canonicalEmail(given);
  try {
    const former = canonical(given, 'email', FORMERLY);
    return former === now ? undefined : former;
  } catch (error) {
    // It would not have been taken then.
    if (error instanceof InvalidInput) return undefined;
    throw error;
  }
}

/** What is done with case and Unicode forms. */
interface Rule {
  readonly local: (text: string) => string;
  /** Before UTS 46. */
  readonly domain: (text: string) => string;
}

const NOW: Rule = { local: fold, domain: (text) => text };
const FORMERLY: Rule = { local: foldFormerly, domain: foldFormerly };

function canonical(given: string, field: string, rule: Rule): string {
  if (typeof given !== 'string' || given === '') {
    throw invalid(field, 'must be an email address like han@example.org');
  }
  // Before anything that takes time: the length bounds it.
  if (given.length > MAX_BYTES || byteLength(given) > MAX_BYTES) {
    throw invalid(field, `must be at most ${MAX_BYTES} bytes`);
  }
  if (UNSEEN.test(given)) throw invalid(field, 'must not hold control or invisible characters');
  if (given.split('@').length !== 2) throw invalid(field, 'must have one @');

  const at = given.indexOf('@');
  const local = canonicalLocal(given.slice(0, at), field, rule);
  const domain = canonicalDomain(rule.domain(given.slice(at + 1)), field);
  const address = `${local}@${domain}`;
  if (byteLength(address) > MAX_BYTES) {
    throw invalid(field, `must be at most ${MAX_BYTES} bytes, with the domain in ASCII`);
  }
  return address;
}

function canonicalLocal(given: string, field: string, rule: Rule): string {
  const local = rule.local(given);
  if (local === '') throw invalid(field, 'must have a name before the @');
  if (byteLength(local) > MAX_LOCAL_BYTES) {
    throw invalid(field, `must have at most ${MAX_LOCAL_BYTES} bytes before the @`);
  }
  // Looked at as given and folded, in parts: a full-width colon is a colon, and a struck-out < (≮)
  // is a < with a stroke, which may as well come as two characters.
  const parts = `${given}${local}`.normalize('NFKD');
  if (NOT_IN_LOCAL.test(parts) || UNSEEN.test(local)) {
    throw invalid(field, 'must not have spaces or any of " ( ) , : ; < > [ \\ ] before the @');
  }
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) {
    throw invalid(field, 'must not have a dot at the start or end of the name, or two in a row');
  }
  return local;
}

function canonicalDomain(given: string, field: string): string {
  const domain = toAscii(given);
  const labels = domain?.split('.') ?? [];
  const last = labels[labels.length - 1] ?? '';
  const fine = labels.every((label) => label.length <= MAX_LABEL && LABEL.test(label));
  if (!fine || labels.length < 2 || /^\d+$/.test(last)) {
    throw invalid(field, 'must have a domain like example.org after the @');
  }
  return domain!;
}

/** The domain as DNS has it (UTS 46, as the URL standard applies it). */
function toAscii(domain: string): string | undefined {
  if (domain === '' || NOT_IN_DOMAIN.test(domain)) return undefined;
  const url = `http://${domain}/`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/**
 * As D146 has it. Upper and then lower case in place of case folding, which JavaScript has not: it
 * brings ß and ss, ς and σ together as well.
 */
function fold(text: string): string {
  return foldCase(foldCase(text.normalize('NFD')).normalize('NFKC')).normalize('NFKC');
}

function foldFormerly(text: string): string {
  const once = foldCase(text.normalize('NFKC')).normalize('NFKC');
  return foldCase(once).normalize('NFKC');
}

function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

function invalid(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'invalid_email');
}
